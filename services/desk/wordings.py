"""Agreed wordings (统一口径) as the desk holds them, and what the pages show of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.news import WordingRead, WordingsChanged
from contracts.requests import Problem, Receipt, RegionsListed, Wording, WordingsListed
from services.desk.call_view import CallView
from services.desk.wire import Json, millis

CARD = "kb-wording-"
"""How the id of a wording's card begins."""

_FIELDS = {
    "title": "请写明是什么话题。",
    "body": "请写上统一的说法。",
    "region": "地区表里没有这个地区，请重新选择。",
    "until": "结束时间要在现在之后。",
}


@dataclass(frozen=True, slots=True)
class Wordings:
    """What stands, as far as the desk has heard."""

    wordings: tuple[Wording, ...] = ()
    """The newest first, with the receipts known."""
    number: int = 0
    """Number of the last change of the base when it was so."""
    agents: tuple[str, ...] = ()
    """工号 of everybody who should read them."""
    regions: RegionsListed | None = None
    """The site's regions, once they are known."""
    heard: bool = False
    """Whether the knowledge service answered when it was asked last."""

    def after_list(self, listed: WordingsListed) -> Wordings:
        """What was asked for counts, whatever was heard before."""
        return replace(self, wordings=self._kept(listed.wordings), number=listed.number, heard=True)

    def after_news(self, news: WordingsChanged) -> Wordings:
        """News say all that stands; those that came late say nothing."""
        if news.number < self.number:
            return self
        return replace(self, wordings=self._kept(news.wordings), number=news.number)

    def after_receipt(self, news: WordingRead) -> Wordings:
        """One more has read one."""
        return replace(
            self,
            wordings=tuple(
                _with_receipts(w, (news.receipt,)) if w.wording_id == news.wording_id else w
                for w in self.wordings
            ),
        )

    def at(self, now: datetime) -> Wordings:
        """Without those that have ended."""
        left = tuple(w for w in self.wordings if w.stands(now))
        return self if len(left) == len(self.wordings) else replace(self, wordings=left)

    def for_agent(self, agent_id: str) -> Json:
        """What stands on an agent's page, and whether he has read it."""
        return [
            {
                "id": w.wording_id,
                "title": w.title,
                "body": w.body,
                "region": w.region,
                "by": w.announced_by,
                "since": millis(w.announced_at),
                "until": millis(w.until),
                "read": any(receipt.by == agent_id for receipt in w.receipts),
            }
            for w in self.wordings
        ]

    def for_wall(self) -> Json:
        """What stands, who has read it and who has not."""
        return {"heard": self.heard, "list": [self._on_wall(w) for w in self.wordings]}

    def places(self) -> Json:
        """The site's regions, each with the one it lies in, and the site's own."""
        if self.regions is None:
            return None
        return {
            "home": self.regions.home,
            "parents": {region.name: region.parent for region in self.regions.regions},
        }

    def _on_wall(self, wording: Wording) -> Json:
        read = {r.by: millis(r.at) for r in wording.receipts if r.by in self.agents}
        return {
            "id": wording.wording_id,
            "title": wording.title,
            "body": wording.body,
            "topics": list(wording.topics),
            "region": wording.region,
            "by": wording.announced_by,
            "since": millis(wording.announced_at),
            "until": millis(wording.until),
            "read": list(read.items()),
            "unread": [agent for agent in self.agents if agent not in read],
        }

    def _kept(self, wordings: tuple[Wording, ...]) -> tuple[Wording, ...]:
        """These, with the receipts known of them already: receipts only grow."""
        known: Mapping[str, Wording] = {w.wording_id: w for w in self.wordings}
        return tuple(
            _with_receipts(w, known[w.wording_id].receipts) if w.wording_id in known else w
            for w in wordings
        )


def _with_receipts(wording: Wording, more: tuple[Receipt, ...]) -> Wording:
    have = {receipt.by for receipt in wording.receipts}
    new = tuple(receipt for receipt in more if receipt.by not in have)
    if not new:
        return wording
    receipts = sorted((*wording.receipts, *new), key=lambda r: (r.at, r.by))
    return wording.model_copy(update={"receipts": tuple(receipts)})


def brought_up(view: CallView) -> Json:
    """The wordings whose topic came up in a call: id → why. A later card says it again."""
    return {
        card.event.card_id.removeprefix(CARD).partition(".")[0]: card.event.why
        for card in view.cards
        if card.event.kind == "announced" and card.event.card_id.startswith(CARD)
    }


def sentence(problem: Problem) -> str | None:
    """What a page says of a wording that was not taken; None where it is nothing special."""
    if problem.code == "invalid":
        return _FIELDS.get(problem.field or "")
    if problem.code == "conflict":
        if problem.field == "title":
            return "同样的口径已经在坐席页面上了。"
        return "页面上的口径已经够多了，请先撤回用不着的。"
    if problem.code == "not_found":
        return "这条口径已经不在了。"
    return None
