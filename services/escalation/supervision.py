"""Supervisors and the bus: their commands, the board at start, and what rises again.

The kept stream alone is the truth about an escalation: a command reads the call's escalation events
before it decides, so neither a restart nor a purged call can mislead it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Literal

import nats.errors

from contracts import subjects
from contracts.base import Event
from contracts.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationTakenOver,
)
from contracts.requests import (
    AcknowledgeEscalation,
    CloseEscalation,
    EscalationHandled,
    Problem,
    TakeOverEscalation,
)
from services.common.bus import Bus, RequestFailed
from services.common.kept import read_kept
from services.escalation import life
from services.escalation.life import Board, Conflict, Life
from services.escalation.view import SYSTEM

Command = AcknowledgeEscalation | TakeOverEscalation | CloseEscalation
Handled = EscalationAcknowledged | EscalationTakenOver | EscalationClosed
TICK_S = 1.0
"""How often the board is looked at, seconds."""


class Supervision:
    """Answers supervisors, and lets escalations rise while nobody acknowledges them."""

    def __init__(self, board: Board, bus: Callable[[], Bus], log: logging.Logger) -> None:
        self._board = board
        self._bus = bus
        self._log = log
        # One change at a time: each is decided on what the one before it has published.
        self._changing = asyncio.Lock()

    async def handle(self, command: Command) -> EscalationHandled:
        """Carry out a command. Raises RequestFailed: `invalid`, `not_found` or `conflict`."""
        if command.supervisor == SYSTEM:
            raise _refused("invalid", "this account is the system's own: name a supervisor")
        async with self._changing:
            found = await self._kept(command.call_id, command.escalation_id)
            if found is None:
                raise _refused("not_found", "there is no such escalation in this call")
            try:
                event = _decided(command, found)
            except Conflict as conflict:
                raise _refused("conflict", str(conflict)) from None
            state = found.state
            if event is not None:
                await self._bus().publish(event)
                self._board.learn(event)
                after = life.step(found, event)
                state = after.state if after else state
        return EscalationHandled(escalation_id=command.escalation_id, state=state)

    async def rebuild(self) -> None:
        """Put on the board what the kept stream holds open."""
        async for event in self._read("*"):
            self._board.learn(event)

    async def rise(self, now: datetime) -> None:
        """Raise again what is due at wall time `now`."""
        for listed in self._board.due(now):
            raised = listed.raised
            async with self._changing:
                found = await self._kept(raised.call_id, raised.escalation_id)
                if found is None or found.state == "closed":
                    self._board.forget(listed)
                    continue
                self._board.learn(found.raised)
                if not self._board.is_due(found, now):
                    continue
                again = life.risen(found)
                await self._bus().publish(again)
                self._board.learn(again.model_copy(update={"wall_time": now}))

    async def keep_rising(self) -> None:
        """Look at the board for ever; a bus that is away for a moment is no reason to stop."""
        tick = min(TICK_S, self._board.rise_after.total_seconds() / 4)
        while True:
            try:
                await self.rise(datetime.now(UTC))
            except nats.errors.Error as error:
                self._log.warning("rising failed, trying again", extra={"error": repr(error)})
            await asyncio.sleep(tick)

    async def _kept(self, call_id: str, escalation_id: str) -> Life | None:
        return life.unfold([event async for event in self._read(call_id)]).get(escalation_id)

    def _read(self, call_id: str) -> AsyncIterator[Event]:
        """Escalation events of a call (`*` = of all) as kept, in order."""
        bus = self._bus()
        return read_kept(bus, subjects.stored_call(bus.site, call_id, "escalation.>"))


def _decided(command: Command, found: Life) -> Handled | None:
    match command:
        case AcknowledgeEscalation():
            return life.acknowledge(found, command.supervisor)
        case TakeOverEscalation():
            return life.take_over(found, command.supervisor)
        case CloseEscalation():
            verdict: Literal["real", "false"] = "real" if command.verdict == "real" else "false"
            return life.close(found, command.supervisor, verdict)


def _refused(code: str, sentence: str) -> RequestFailed:
    return RequestFailed(Problem(code=code, message=sentence))
