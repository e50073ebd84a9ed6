"""The policy as data: which warnings, call types and words reach a supervisor, and how."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from contracts.call_type import CallType
from contracts.escalation import Severity
from contracts.warning import Level, WarningKind
from services.common.datafiles import Entry
from services.escalation.files import EditedFile

RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Shown(Entry):
    """What every rule says: how urgent, and in which words."""

    fills: ClassVar[frozenset[str]] = frozenset()
    """Which words in braces this kind of rule fills in."""

    severity: Severity
    """How urgent."""
    title: Line
    """The line on the wall."""
    reason: Line
    """Why, below it."""
    source: str = ""
    """Where the rule comes from."""

    @field_validator("title", "reason", "reason_by_sound", check_fields=False)
    @classmethod
    def _known_fills(cls, text: str) -> str:
        try:
            used = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        except ValueError:
            raise ValueError("a brace is not closed, or not opened") from None
        if unknown := sorted(used - cls.fills):
            known = ", ".join(f"{{{name}}}" for name in sorted(cls.fills))
            raise ValueError(f"{{{unknown[0]}}} is not filled in here; known: {known}")
        text.format_map(dict.fromkeys(cls.fills, ""))  # refuses what only looks like a place
        return text


class WarningRule(Shown):
    """So many warnings of these kinds reach a supervisor."""

    fills: ClassVar[frozenset[str]] = frozenset({"times", "seconds", "words"})

    id: RuleId
    """Name of the rule."""
    kinds: Annotated[tuple[WarningKind, ...], Field(min_length=1)]
    """Kinds that count."""
    level: Level = "alarm"
    """`alarm` = only alarms count; `remind` = both."""
    times: Annotated[int, Field(ge=1, le=100)] = 1
    """How many it takes."""
    counted: Literal["per_call", "in_a_row"] = "per_call"
    """Anywhere in the call, or with no warning of another kind between them."""
    again: bool = False
    """Whether counting starts anew after it was shown."""


class TypeRule(Shown):
    """A type of call reaches a supervisor, once a call."""

    fills: ClassVar[frozenset[str]] = frozenset({"type", "percent"})

    id: RuleId
    """Name of the rule."""
    type: CallType
    """The type."""
    confidence: Annotated[float, Field(ge=0, le=1)]
    """How sure the assessment must be."""
    turns_into: bool = False
    """Only where the caller turned to it from another type."""
    lasts_s: Annotated[int, Field(ge=0, le=7200)] = 0
    """Only where the call has been of this type for so many seconds, and the caller goes on."""

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if self.turns_into and self.lasts_s:
            raise ValueError("turns_into and lasts_s do not go together: write two rules")
        return self


class RedLineRule(Shown):
    """How red-line words are shown."""

    fills: ClassVar[frozenset[str]] = frozenset({"name", "words", "word"})

    reason_by_sound: Line
    """Why, where only the sound fits."""


class Rules(EditedFile):
    """The whole policy file."""

    rise_after_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    """Seconds of wall time until what nobody acknowledged rises again."""
    rise_times: Annotated[int, Field(ge=0, le=20)] = 3
    """How often it rises at most."""
    warnings: tuple[WarningRule, ...] = ()
    """Rules about warnings."""
    call_types: tuple[TypeRule, ...] = ()
    """Rules about types of calls."""
    red_lines: RedLineRule
    """How red lines are shown."""
    red_line_signs: RedLineRule | None = None
    """How mere signs of them are shown; without it they are not."""

    @model_validator(mode="after")
    def _one_rule_an_id(self) -> Self:
        ids = [rule.id for rule in self.warnings] + [rule.id for rule in self.call_types]
        if twice := next((id_ for id_ in ids if ids.count(id_) > 1), None):
            raise ValueError(f"id {twice} stands twice")
        return self


_COUNTS = "零一两三四五六七八九十"


def count_word(count: int) -> str:
    """A count as it is said before 次: 两, 三 … 十, then digits."""
    return _COUNTS[count] if count < len(_COUNTS) else f" {count} "
