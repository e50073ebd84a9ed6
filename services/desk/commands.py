"""What people ask of the system from a page, and how it is done on the bus."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import nats.errors
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from contracts.base import Id
from contracts.card import Source
from contracts.feedback import FeedbackGiven
from contracts.requests import (
    AcknowledgeEscalation,
    CloseEscalation,
    EscalationHandled,
    KnowledgeFound,
    KnowledgeHit,
    Reply,
    Request,
    SearchKnowledge,
    TakeOverEscalation,
)
from services.common.bus import Bus, RequestFailed
from services.desk import wording
from services.desk.accounts import Account
from services.desk.agent_page import source_rows
from services.desk.board import Board
from services.desk.call_view import CallView

Text = Annotated[str, Field(max_length=200)]


class Hello(BaseModel):
    """First message of a page: the last number it has, and of which run of the desk."""

    type: Literal["hello"]
    epoch: Annotated[str, Field(max_length=64)] = ""
    last: Annotated[int, Field(ge=0)] = 0


class Feedback(BaseModel):
    """What an agent thinks of a card or warning."""

    type: Literal["feedback"]
    id: int
    call: Id
    target: Literal["card", "warning"]
    target_id: Text
    verdict: Literal["useful", "wrong", "dismissed"]


class Handle(BaseModel):
    """What a supervisor does with an escalation."""

    type: Literal["escalation"]
    id: int
    call: Id
    escalation: Text
    act: Literal["acknowledge", "take_over", "real", "false"]


class Search(BaseModel):
    """Words to look for in the knowledge base."""

    type: Literal["search"]
    id: int
    text: Annotated[str, Field(min_length=1, max_length=200)]
    call: Id | None = None


Command = Annotated[Feedback | Handle | Search, Field(discriminator="type")]
COMMANDS: TypeAdapter[Feedback | Handle | Search] = TypeAdapter(Command)


class Refused(RuntimeError):
    """It was not done. The text is a sentence for the page."""


class Commands:
    """Does what a page asks, as far as its account may."""

    def __init__(self, bus: Bus, board: Board) -> None:
        self._bus = bus
        self._board = board

    async def do(self, account: Account, command: Feedback | Handle | Search) -> Any:
        """Do it; returns what the page needs to know. Raises Refused."""
        try:
            return await self._do(account, command)
        except (nats.errors.Error, TimeoutError, ValidationError):
            raise Refused("暂时连不上系统，没有办成，请稍后再试。") from None

    async def _do(self, account: Account, command: Feedback | Handle | Search) -> Any:
        if isinstance(command, Handle):
            return await self._handle(account, command)
        if account.role != "agent":
            raise Refused("这个操作只在坐席页面上可用。")
        if isinstance(command, Feedback):
            return await self._feedback(account, command)
        return await self._search(account, command)

    async def _feedback(self, account: Account, command: Feedback) -> None:
        view = self._own(account, command.call)
        for card in reversed(view.cards) if command.target == "card" else ():
            if card.event.card_id == command.target_id:
                entry = card.event.source.entry_id if card.event.source else ""
                at_ms, rule = card.event.at_ms, entry or card.event.by.name
                break
        else:
            for warning in view.warnings if command.target == "warning" else ():
                if warning.event.warning_id == command.target_id:
                    at_ms, rule = warning.event.at_ms, warning.event.by.name
                    break
            else:
                raise Refused("这张卡片已经不在了。")
        await self._bus.publish(
            FeedbackGiven(
                call_id=view.call_id,
                site=self._bus.site,
                # The target's time, not the key's: pressed twice it is the same event.
                at_ms=at_ms,
                agent_id=account.agent_id or account.name,
                target=command.target,
                target_id=command.target_id,
                rule=rule,
                verdict=command.verdict,
            )
        )

    async def _search(self, account: Account, command: Search) -> Any:
        region = self._own(account, command.call).region if command.call else None
        request = SearchKnowledge(text=command.text, region=region)
        found = await self._ask(request, KnowledgeFound)
        return [
            {
                "kind": hit.kind,
                "question": hit.question,
                "answer": hit.answer if hit.kind == "answer" else None,
                "source": source_rows(_source(hit), transfer=hit.kind == "transfer"),
            }
            for hit in found.hits
        ]

    async def _handle(self, account: Account, command: Handle) -> None:
        if account.role != "supervisor":
            raise Refused("只有班长可以处置。")
        whose = {
            "call_id": command.call,
            "escalation_id": command.escalation,
            "supervisor": account.name,
        }
        if command.act == "acknowledge":
            request: Request = AcknowledgeEscalation(**whose)
        elif command.act == "take_over":
            request = TakeOverEscalation(**whose)
        else:
            request = CloseEscalation(**whose, verdict=command.act)
        await self._ask(request, EscalationHandled)

    async def _ask(self, request: Request, reply: type[Reply]) -> Any:
        try:
            return await self._bus.request(request, reply, timeout_s=4.0)
        except RequestFailed as failed:
            raise Refused(wording.sentence(failed.problem, request.service)) from None

    def _own(self, account: Account, call_id: str) -> CallView:
        view = self._board.get(call_id)
        if view is None or view.agent_id != account.agent_id:
            raise Refused("这通电话已经不在您的页面上。")
        return view


def _source(hit: KnowledgeHit) -> Source | None:
    try:
        return Source.model_validate(hit.source)
    except ValidationError:
        return None
