"""The tables a hotline may edit, checked when they are read. A mistake is named by file, entry and
field, so that whoever edited the file finds it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from contracts.call_type import CALL_TYPES, INTAKES, CallType, Intake
from services.common.service import CannotStart

PACKAGED = Path(__file__).parent / "data"
FILES = ("prototypes.yaml", "signals.yaml", "intake.yaml", "advice.yaml")

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Utterances = Annotated[tuple[Words, ...], Field(min_length=2)]
Patterns = Annotated[tuple[Words, ...], Field(min_length=1)]
Weight = Annotated[float, Field(gt=0, le=5)]
Table = TypeVar("Table", bound="_Table")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class _Table(_Entry):
    version: Literal[1]
    """The form of the file."""


class TypeExamples(_Entry):
    """What callers of one type say."""

    type: CallType
    utterances: Utterances


class PrototypeTable(_Table):
    """prototypes.yaml."""

    types: tuple[TypeExamples, ...]

    @field_validator("types")
    @classmethod
    def _each_once(cls, types: tuple[TypeExamples, ...]) -> tuple[TypeExamples, ...]:
        _need_each_once(CALL_TYPES, (entry.type for entry in types))
        return types


class TypeSignal(_Entry):
    """Words that speak for one type."""

    type: CallType
    weight: Weight
    patterns: Patterns


class SignalTable(_Table):
    """signals.yaml."""

    signals: tuple[TypeSignal, ...]
    questions: Patterns
    """Words that show a question."""
    acknowledgements: Patterns
    """What says nothing about the call."""

    @field_validator("signals")
    @classmethod
    def _no_repeats(cls, signals: tuple[TypeSignal, ...]) -> tuple[TypeSignal, ...]:
        _need_no_repeats((entry.type, p) for entry in signals for p in entry.patterns)
        return signals


class IntakeSignal(_Entry):
    """Words that speak for one intake kind."""

    intake: Intake
    weight: Weight
    patterns: Patterns


class IntakeExamples(_Entry):
    """What callers of one intake kind say."""

    intake: Intake
    utterances: Utterances


class IntakeTable(_Table):
    """intake.yaml."""

    signals: tuple[IntakeSignal, ...]
    prototypes: tuple[IntakeExamples, ...]

    @field_validator("signals")
    @classmethod
    def _no_repeats(cls, signals: tuple[IntakeSignal, ...]) -> tuple[IntakeSignal, ...]:
        _need_no_repeats((entry.intake, p) for entry in signals for p in entry.patterns)
        return signals

    @field_validator("prototypes")
    @classmethod
    def _each_once(cls, entries: tuple[IntakeExamples, ...]) -> tuple[IntakeExamples, ...]:
        _need_each_once(INTAKES, (entry.intake for entry in entries))
        return entries


class Advice(_Entry):
    """How to handle one type."""

    type: CallType
    title: Words
    say: Words
    """What may be read aloud."""
    avoid: Words


class AdviceTable(_Table):
    """advice.yaml."""

    advice: tuple[Advice, ...]

    @field_validator("advice")
    @classmethod
    def _each_once(cls, advice: tuple[Advice, ...]) -> tuple[Advice, ...]:
        _need_each_once(CALL_TYPES, (entry.type for entry in advice))
        return advice


class Tables(_Entry):
    """All four, and the fingerprint of what was read."""

    prototypes: PrototypeTable
    signals: SignalTable
    intake: IntakeTable
    advice: AdviceTable
    digest: str
    """Eight hex digits over the bytes of the files: the version of the rules."""

    @property
    def type_examples(self) -> list[tuple[CallType, str]]:
        """(type, utterance) of every example."""
        return [
            (entry.type, words) for entry in self.prototypes.types for words in entry.utterances
        ]

    @property
    def intake_examples(self) -> list[tuple[Intake, str]]:
        """(intake kind, utterance) of every example."""
        return [
            (entry.intake, words) for entry in self.intake.prototypes for words in entry.utterances
        ]


def load_tables(directory: Path | None = None) -> Tables:
    """Read the tables of a directory, or those that come with Banxi. Raises CannotStart."""
    folder = directory or PACKAGED
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(_read(folder / name))
    return Tables(
        prototypes=_parse(folder / FILES[0], PrototypeTable),
        signals=_parse(folder / FILES[1], SignalTable),
        intake=_parse(folder / FILES[2], IntakeTable),
        advice=_parse(folder / FILES[3], AdviceTable),
        digest=digest.hexdigest()[:8],
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"{path}: cannot be read ({error.strerror})") from None


def _parse(path: Path, model: type[Table]) -> Table:
    try:
        content = yaml.safe_load(_read(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CannotStart(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CannotStart(f"{path}{line}: is not YAML ({error.problem})") from None
    except yaml.YAMLError:
        raise CannotStart(f"{path}: is not YAML") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise CannotStart(f"{path}: {_place(first['loc'])}: {first['msg']}") from None


def _place(location: tuple[int | str, ...]) -> str:
    """`signals, entry 3, patterns, entry 2` from a path; entries are counted from 1."""
    parts = [f"entry {part + 1}" if isinstance(part, int) else part for part in location]
    return ", ".join(parts) or "the file"


def _need_each_once(wanted: Iterable[str], given: Iterable[str]) -> None:
    counts = Counter(given)
    if missing := [label for label in wanted if not counts[label]]:
        raise ValueError(f"{', '.join(missing)} missing")
    if doubled := [label for label, count in counts.items() if count > 1]:
        raise ValueError(f"{', '.join(doubled)} given more than once")


def _need_no_repeats(patterns: Iterable[tuple[str, str]]) -> None:
    repeated = [f"{p} ({label})" for (label, p), count in Counter(patterns).items() if count > 1]
    if repeated:
        raise ValueError(f"given more than once: {', '.join(repeated)}")
