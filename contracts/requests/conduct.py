"""Requests to conduct: scores, rules and what agents said of them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Evidence, Id, Ms
from contracts.requests.base import Model, Reply, Request


class Deduction(Contract):
    """Points taken off in a call."""

    deduction_id: str
    """Its id in the call; appeals name it."""
    item: str
    """Id of the item of the score table."""
    name: str
    """The item's Chinese name."""
    points: int
    """How many, positive."""
    reason: str
    """What for, in words for the agent."""
    at_ms: Ms
    """When, ms on the audio clock."""
    evidence: tuple[Evidence, ...] = ()
    """The words and spans that speak for it."""
    state: Literal["stands", "appealed", "confirmed", "returned"]
    """`confirmed` = an appeal was refused; `returned` = the points were given back."""


class Unjudged(Contract):
    """An item of the score table that a machine cannot hear."""

    item: str
    """Its id."""
    name: str
    """Its Chinese name."""
    points: int
    """What it may cost, positive."""
    why: str
    """Why it is left to the inspector."""


class ScoreSheet(Reply):
    """A call's score with everything it rests on."""

    call_id: Id
    """The call."""
    score: Annotated[int, Field(ge=0, le=100)]
    """The score now."""
    deductions: tuple[Deduction, ...]
    """Every deduction, in the order of the call; those given back too."""
    unjudged: tuple[Unjudged, ...]
    """What is left to the inspector."""
    rules: str
    """Version of the score table."""


class AskScore(Request):
    """What is this call's score, and why?"""

    service: ClassVar[str] = "conduct"
    verb: ClassVar[str] = "score"
    reply: ClassVar[type[Reply]] = ScoreSheet

    call_id: Id
    """The call."""


class RulesReloaded(Reply):
    """The rules that hold from now on."""

    rules: tuple[Model, ...]
    """Each rule file with its version."""
    changed: bool
    """Whether any of them differs from what held before."""


class ReloadRules(Request):
    """Read the rule files again. Where one of them is wrong, the old rules go on and the failure
    names file, line and field."""

    service: ClassVar[str] = "conduct"
    verb: ClassVar[str] = "reload"
    reply: ClassVar[type[Reply]] = RulesReloaded


class RuleFeedback(Contract):
    """What agents thought of one rule's cards and warnings."""

    rule: str
    """The rule, model or entry."""
    useful: int
    """How often it was found useful."""
    wrong: int
    """How often it was reported as false."""
    dismissed: int
    """How often it was put away without a word."""


class FeedbackCounted(Reply):
    """Feedback by rule, the one most often wrong first."""

    rules: tuple[RuleFeedback, ...]
    """Rules that had any."""


class CountFeedback(Request):
    """How often was each rule wrong?"""

    service: ClassVar[str] = "records"
    verb: ClassVar[str] = "feedback"
    reply: ClassVar[type[Reply]] = FeedbackCounted

    within_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How far back, days."""
