"""What is known of the caller's number, asked of records over the bus once a call."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import nats.errors
from pydantic import ValidationError

from contracts.base import UNSTAMPED
from contracts.call import CallStarted
from contracts.call_type import CALL_TYPES, CallType
from contracts.requests import AskHistory, PastCall
from contracts.requests import History as Reply
from services.common.asking import Asking, NoAnswer
from services.common.bus import Bus, RequestFailed

LONGEST = 32
"""Characters of a number at most, as the contract has it."""
FEWEST_DIGITS = 5
"""A number with fewer is an extension or a mark for a withheld one."""


@dataclass(frozen=True, slots=True)
class History:
    """Earlier calls of the number, newest first; empty where nothing is known."""

    calls: int = 0
    """How many."""
    matters: tuple[str, ...] = field(default=(), repr=False)
    """What they were about, of those that said: callers' words, so never shown by chance."""
    types: tuple[CallType, ...] = ()
    """What they came to, of those that came to something."""


NOTHING = History()


class AskingHistory(Asking):
    """Asks for each call; never raises, and knows nothing where there is no answer in time."""

    def __init__(
        self, bus: Bus, *, within_days: int, limit: int, patience_s: float, log: logging.Logger
    ) -> None:
        super().__init__(log, "records", "going on without the history of numbers")
        self._bus = bus
        self._within_days = within_days
        self._limit = limit
        self._patience_s = patience_s

    async def of(self, started: CallStarted) -> History:
        """What is known of the number of a call that starts; of the call itself, and of what came
        after it, nothing: a call that is read again knows no more than it did."""
        number = started.caller_number.strip()
        if not _is_somebodys(number):
            return NOTHING
        if not self._may_ask():
            return NOTHING
        try:
            calls = await self._ask(number)
        except NoAnswer as problem:
            self._failed(str(problem))
            return NOTHING
        self._answered()
        window = timedelta(days=self._within_days)
        before = [past for past in calls if _is_before(past, started, window)]
        return _digest(sorted(before, key=_began, reverse=True)[: self._limit])

    async def _ask(self, number: str) -> tuple[PastCall, ...]:
        # One more than wanted: a call that is read again is among them itself.
        asked = AskHistory(
            caller_number=number, within_days=self._within_days, limit=self._limit + 1
        )
        try:
            reply = await self._bus.request(asked, Reply, timeout_s=self._patience_s)
        except RequestFailed as error:
            raise NoAnswer(error.problem.message) from None
        except nats.errors.Error as error:
            raise NoAnswer(f"the bus is not there ({type(error).__name__})") from None
        except ValidationError:
            raise NoAnswer("its answer is no contract") from None
        return reply.calls


def _is_somebodys(number: str) -> bool:
    """Whether a number is one caller's own: withheld ones come without digits, or as 0000."""
    digits = [character for character in number if character.isdigit()]
    return len(number) <= LONGEST and len(digits) >= FEWEST_DIGITS and len(set(digits)) > 1


def _is_before(past: PastCall, started: CallStarted, window: timedelta) -> bool:
    began = _began(past)
    if past.call_id == started.call_id or began == UNSTAMPED:
        return False
    if started.wall_time == UNSTAMPED:
        return True
    return started.wall_time - window <= began < started.wall_time


def _began(past: PastCall) -> datetime:
    """When a call began; `UNSTAMPED` where that cannot be read."""
    try:
        began = datetime.fromisoformat(past.started_at)
        return began.astimezone(UTC) if began.tzinfo else began.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return UNSTAMPED


def _digest(calls: list[PastCall]) -> History:
    known: dict[str | None, CallType] = {label: label for label in CALL_TYPES}
    return History(
        calls=len(calls),
        matters=tuple(past.matter for past in calls if past.matter),
        types=tuple(known[past.call_type] for past in calls if past.call_type in known),
    )
