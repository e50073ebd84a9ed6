"""The moments that need wording at once, and their cards: `situations.yaml`, checked when read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from contracts.base import Role, Share
from services.common.datafiles import Entry, fingerprint, read_data
from services.common.written import read

PACKAGED = Path(__file__).parent.parent / "data" / "situations.yaml"
AGENT_SLOT = "工号"
DEPARTMENT_SLOT = "部门"
FILLED_BY_CALL = (AGENT_SLOT, DEPARTMENT_SLOT)
"""Slots that the call itself fills where it can."""
_SLOT = re.compile(r"[{]([^{}]*)[}]")

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]
Signal = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=20)]


def _text(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


class Situation(Entry):
    """One moment with its card."""

    id: Id
    """Name in events and labels."""
    name: Annotated[str, _text(20)]
    """Name for people."""
    signals: Mapping[Role, tuple[Signal, ...]] = {}
    """Words that give it away, by who says them."""
    priority: Annotated[int, Field(gt=40, lt=70)]
    """Above the advice for the whole call (40), below the steps of waiting (70)."""
    stays_s: Annotated[int, Field(ge=5, le=120)]
    """Seconds of the call after which the card leaves by itself."""
    reader: Literal["agent", "supervisor"]
    """Who reads the wording aloud."""
    title: Annotated[str, _text(16)]
    say: Annotated[str, _text(90)]
    """What may be read aloud, with slots in braces."""
    avoid: Annotated[str, _text(50)]

    @field_validator("signals")
    @classmethod
    def _no_repeats(cls, signals: Mapping[Role, tuple[str, ...]]) -> Mapping[Role, tuple[str, ...]]:
        for role, words in signals.items():
            if doubled := [word for word, n in Counter(words).items() if n > 1]:
                raise ValueError(f"{role}: given more than once: {', '.join(doubled)}")
            for word in words:
                if len(read(word).plain) < len(word):
                    raise ValueError(f"{role}: {word!r} holds more than characters that are spoken")
        return signals


class SituationTable(Entry):
    """situations.yaml."""

    version: Literal[1]
    slots: Mapping[Annotated[str, _text(10)], Annotated[str, _text(30)]]
    shows_from: Share
    """Confidence from which a card is shown; below it the moment is only noted."""
    never: tuple[Annotated[str, _text(20)], ...]
    situations: Annotated[tuple[Situation, ...], Field(min_length=1)]

    @field_validator("slots")
    @classmethod
    def _call_slots_there(cls, slots: Mapping[str, str]) -> Mapping[str, str]:
        if missing := [name for name in FILLED_BY_CALL if name not in slots]:
            raise ValueError(f"{', '.join(missing)} missing")
        return slots

    @field_validator("situations")
    @classmethod
    def _each_sound(
        cls, situations: tuple[Situation, ...], info: ValidationInfo
    ) -> tuple[Situation, ...]:
        if doubled := [i for i, n in Counter(s.id for s in situations).items() if n > 1]:
            raise ValueError(f"{', '.join(doubled)} given more than once")
        return situations

    @model_validator(mode="after")
    def _cards_may_be_read_aloud(self) -> SituationTable:
        for one in self.situations:
            for field, text in (("title", one.title), ("say", one.say)):
                unknown = [name for name in _SLOT.findall(text) if name not in self.slots]
                if unknown:
                    raise ValueError(f"entry {one.id}, {field}: there is no slot {unknown[0]!r}")
                said = read(self._filled(text)).plain
                if bad := [words for words in self.never if read(words).plain in said]:
                    raise ValueError(f"entry {one.id}, {field}: holds {bad[0]!r}, see `never`")
        return self

    def _filled(self, text: str) -> str:
        return _SLOT.sub(lambda slot: self.slots[slot[1]], text)


class Book(Entry):
    """The table and the fingerprint of what was read."""

    table: SituationTable
    digest: str
    """Eight hexadecimal digits over the bytes of the file."""

    @cached_property
    def by_id(self) -> Mapping[str, Situation]:
        """The situations by their ids, in the order of the file."""
        return {one.id: one for one in self.table.situations}

    def say(self, situation: Situation, known: Mapping[str, str | None]) -> str:
        """The wording with its slots filled: by what is known of the call, else by the table."""
        slots = {**self.table.slots, **{name: words for name, words in known.items() if words}}
        return _SLOT.sub(lambda slot: slots[slot[1]], situation.say)


def load_book(path: Path | None = None) -> Book:
    """Read the table of a hotline, or the one that comes with Banxi. Raises DataFileError."""
    file = path or PACKAGED
    return Book(table=read_data(file, SituationTable), digest=fingerprint(file))
