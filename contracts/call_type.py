"""What kind of call it is."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import Contract, Derived, Share

CallType = Literal["咨询", "叙述", "发泄", "哭诉", "探讨", "求助", "对抗", "投诉", "纠缠", "综合"]
CALL_TYPES: tuple[CallType, ...] = (
    "咨询", "叙述", "发泄", "哭诉", "探讨", "求助", "对抗", "投诉", "纠缠", "综合",
)  # fmt: skip
Intake = Literal["投诉", "业务咨询", "基础信息查询", "建议", "举报"]
INTAKES: tuple[Intake, ...] = ("投诉", "业务咨询", "基础信息查询", "建议", "举报")


class TypeConfidence(Contract):
    """One type and how sure the assessor is of it."""

    type: CallType
    """The call type."""
    confidence: Share
    """Probability from 0 to 1; over the ten types they sum to at most 1."""


class CallTypeAssessed(Derived):
    """The assessment after a caller's utterance changed: `at_ms` is that utterance's start."""

    event: ClassVar[str] = "call_type.assessed"

    type: CallType | None
    """The type shown; None = not yet known."""
    confidence: Share
    """Confidence in `type`; 0 where it is None."""
    previous: CallType | None = None
    """The type shown before, where this event changes it."""
    types: tuple[TypeConfidence, ...] = ()
    """All types with notable confidence, best first."""
    intake: Intake | None = None
    """The intake kind that decides the flow; None = not yet known."""


class CallTypeTurned(Derived):
    """The caller has turned from one type to another (求助 → 发泄), with the utterance at `at_ms`.
    `evidence` holds the words that changed it. Where an assessment only corrects an earlier one,
    the caller has not turned, and there is no such event."""

    event: ClassVar[str] = "call_type.turned"

    previous: CallType
    """The type before."""
    type: CallType
    """The type from now on."""
    confidence: Share
    """How sure that the caller has turned."""
