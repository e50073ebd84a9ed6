"""What the people at the desk think of what the system showed them."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import Event, Id


class FeedbackGiven(Event):
    """An agent said what a card or warning was worth."""

    event: ClassVar[str] = "feedback.given"

    agent_id: Id
    """工号."""
    target: Literal["card", "warning"]
    """What it is about."""
    target_id: str
    """`card_id` or `warning_id`."""
    rule: str = ""
    """The rule, model or entry behind the target, so that errors can be counted by it."""
    verdict: Literal["useful", "wrong", "outdated", "dismissed"]
    """`useful` = 已采用, `wrong` = 不对 / 误报, `outdated` = 过时 (cards with an entry behind
    them), `dismissed` = 知道了 / 收起."""

    @property
    def key(self) -> str:
        """One verdict a target; a second verdict of the same kind is the same."""
        return f"{self.target_id}.{self.verdict}"
