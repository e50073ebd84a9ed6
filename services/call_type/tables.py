"""The tables a hotline may edit, checked when they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from contracts.call_type import CALL_TYPES, CallType, Intake
from services.common.datafiles import Entry, fingerprint, read_data

PACKAGED = Path(__file__).parent / "data"
FILES = ("signals.yaml", "intake.yaml", "advice.yaml")

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Patterns = Annotated[tuple[Words, ...], Field(min_length=1)]
Weight = Annotated[float, Field(gt=0, le=5)]


class _Table(Entry):
    version: Literal[1]
    """The form of the file."""


class TypeSignal(Entry):
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


class IntakeSignal(Entry):
    """Words that speak for one intake kind."""

    intake: Intake
    weight: Weight
    patterns: Patterns


class IntakeTable(_Table):
    """intake.yaml."""

    signals: tuple[IntakeSignal, ...]

    @field_validator("signals")
    @classmethod
    def _no_repeats(cls, signals: tuple[IntakeSignal, ...]) -> tuple[IntakeSignal, ...]:
        _need_no_repeats((entry.intake, p) for entry in signals for p in entry.patterns)
        return signals


class Advice(Entry):
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


class Tables(Entry):
    """All three, and the fingerprint of what was read."""

    signals: SignalTable
    intake: IntakeTable
    advice: AdviceTable
    digest: str
    """Eight hex digits over the bytes of the files: the version of the rules."""


def load_tables(directory: Path | None = None) -> Tables:
    """Read the tables of a directory, or those that come with Banxi. Raises DataFileError."""
    folder = directory or PACKAGED
    return Tables(
        signals=read_data(folder / FILES[0], SignalTable),
        intake=read_data(folder / FILES[1], IntakeTable),
        advice=read_data(folder / FILES[2], AdviceTable),
        digest=fingerprint(*(folder / name for name in FILES)),
    )


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
