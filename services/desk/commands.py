"""What people ask of the system from a page, and how it is done on the bus."""

from __future__ import annotations

from typing import Any

import nats.errors
from pydantic import ValidationError

from contracts.card import CardKind, Source
from contracts.feedback import FeedbackGiven
from contracts.requests import (
    AcknowledgeEscalation,
    AskScore,
    CloseEscalation,
    EscalationHandled,
    GapHandled,
    KnowledgeFound,
    KnowledgeHit,
    NoteGap,
    Reply,
    Request,
    ScoreSheet,
    SearchKnowledge,
    TakeOverEscalation,
)
from contracts.score import AppealDecided, DeductionAppealed
from services.common.bus import Bus, RequestFailed
from services.desk import score_page, shift_page, wording, wordings
from services.desk.accounts import Account
from services.desk.agent_page import source_rows
from services.desk.announcing import Announcing
from services.desk.asked import (
    Announce,
    Appeal,
    Command,
    Decide,
    Details,
    Feedback,
    Handle,
    Missing,
    Search,
    Seen,
    Sheet,
    Unannounce,
    WordingCommand,
)
from services.desk.board import Board
from services.desk.call_view import CallView
from services.desk.charges import Charge, ChargeState, charge

_NO_APPEAL: dict[ChargeState, str] = {
    "appealed": "这一项已经申诉过了，请等班长处理。",
    "confirmed": "这一项已经申诉过了，班长已经处理。",
    "accepted": "这一项的申诉已经通过了。",
    "returned": "这一项的分数已经退回，不用再申诉。",
}
_NO_DECISION: dict[ChargeState, str] = {
    "stands": "坐席没有对这一项提出申诉。",
    "confirmed": "这条申诉已经处理过了。",
    "accepted": "这条申诉已经处理过了。",
    "returned": "这一项的分数已经退回，不用再处理。",
}
_KINDS: dict[str, CardKind] = {"transfer": "transfer", "announced": "announced"}
"""Kinds of what a search finds, beside answers."""


class Refused(RuntimeError):
    """It was not done. The text is a sentence for the page."""


class Commands:
    """Does what a page asks, as far as its account may."""

    def __init__(self, bus: Bus, board: Board, announcing: Announcing) -> None:
        self._bus = bus
        self._board = board
        self._announcing = announcing

    async def do(self, account: Account, command: Command) -> Any:
        """Do it; returns what the page needs to know. Raises Refused."""
        try:
            return await self._do(account, command)
        except (nats.errors.Error, TimeoutError, ValidationError):
            raise Refused("暂时连不上系统，没有办成，请稍后再试。") from None

    async def _do(self, account: Account, command: Command) -> Any:
        if isinstance(command, Handle | Decide | Announce | Unannounce):
            if account.role != "supervisor":
                raise Refused("只有班长可以处置。")
            if isinstance(command, Announce | Unannounce):
                return await self._wording(account, command)
            if isinstance(command, Handle):
                return await self._handle(account, command)
            return await self._decide(account, command)
        if account.role != "agent":
            raise Refused("这个操作只在坐席页面上可用。")
        match command:
            case Feedback():
                return await self._feedback(account, command)
            case Appeal():
                return await self._appeal(account, command)
            case Details():
                return shift_page.details(self._own(account, command.call))
            case Sheet():
                return await self._sheet(account, command)
            case Search():
                return await self._search(account, command)
            case Missing():
                return await self._missing(account, command)
            case Seen():
                return await self._wording(account, command)

    async def _wording(self, account: Account, command: WordingCommand) -> None:
        try:
            await self._announcing.do(account, command)
        except RequestFailed as failed:
            own = wordings.sentence(failed.problem)
            raise Refused(own or wording.sentence(failed.problem, "knowledge")) from None

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
                "id": hit.entry_id,
                "kind": hit.kind,
                "question": hit.question,
                "answer": None if hit.kind == "transfer" else hit.answer,
                "source": source_rows(_source(hit), kind=_kind(hit)),
            }
            for hit in found.hits
        ]

    async def _missing(self, account: Account, command: Missing) -> None:
        view = self._own(account, command.call)
        gap = NoteGap(
            call_id=view.call_id,
            words=command.words,
            region=view.region,
            note=command.note.strip(),
            by=account.agent_id or account.name,
        )
        await self._ask(gap, GapHandled)

    async def _sheet(self, account: Account, command: Sheet) -> Any:
        view = self._own(account, command.call)
        sheet = await self._ask(AskScore(call_id=view.call_id), ScoreSheet)
        return score_page.unjudged(sheet)

    async def _appeal(self, account: Account, command: Appeal) -> None:
        view = self._own(account, command.call)
        item = _known(view, command.deduction)
        if item.state != "stands":
            raise Refused(_NO_APPEAL[item.state])
        # The deduction's time, so that of two pages only one appeals: the bus knows the other's.
        first = await self._bus.publish(
            DeductionAppealed(
                call_id=view.call_id,
                site=self._bus.site,
                at_ms=item.event.at_ms,
                deduction_id=command.deduction,
                agent_id=account.agent_id or account.name,
                reason=command.reason.strip(),
            )
        )
        if not first:
            raise Refused(_NO_APPEAL["appealed"])

    async def _decide(self, account: Account, command: Decide) -> None:
        view = self._board.get(command.call)
        if view is None:
            raise Refused("这通电话已经不在页面上。")
        item = _known(view, command.deduction)
        if item.state != "appealed":
            raise Refused(_NO_DECISION[item.state])
        first = await self._bus.publish(
            AppealDecided(
                call_id=view.call_id,
                site=self._bus.site,
                at_ms=item.event.at_ms,
                deduction_id=command.deduction,
                supervisor=account.name,
                accepted=command.accepted,
                remark=command.remark.strip(),
            )
        )
        if not first:
            raise Refused("这条申诉刚刚由别人处理了。")

    async def _handle(self, account: Account, command: Handle) -> None:
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


def _known(view: CallView, deduction_id: str) -> Charge:
    item = charge(view, deduction_id)
    if item is None:
        raise Refused("这一项扣分已经不在了。")
    return item


def _kind(hit: KnowledgeHit) -> CardKind:
    return _KINDS.get(hit.kind, "answer")


def _source(hit: KnowledgeHit) -> Source | None:
    try:
        return Source.model_validate(hit.source)
    except ValidationError:
        return None
