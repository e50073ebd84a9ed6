"""What the way of talking says of the type: `prosody.yaml`, and the little that follows from it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from contracts.base import Evidence
from contracts.call_type import CallType
from services.call_type.prosody import Measure, Measured, Prosody
from services.common.datafiles import Entry, read_data

FILE = "prosody.yaml"
PACKAGED = Path(__file__).parent / "data"
MOST = 0.5
"""Log-odds that the way of talking adds to a type at most. There are no labelled recordings of
upset callers to learn from: what is set by hand must not make or turn a type by itself."""
VALUE = "{value}"
REMARKED = 0.5
"""Part of its weights from which a sign is remarked."""

Value = Annotated[float, Field(ge=0, le=1000)]
Weight = Annotated[float, Field(gt=0, le=MOST)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
RemarkText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class Sign(Entry):
    """One thing that is heard, and what it says."""

    id: Id
    measure: Measured
    nothing_to: Value
    all_from: Value
    weights: Annotated[dict[CallType, Weight], Field(min_length=1)]
    remark: RemarkText

    @field_validator("remark")
    @classmethod
    def _says_the_value(cls, remark: str) -> str:
        if remark.count(VALUE) != 1 or set("{}") & set(remark.replace(VALUE, "")):
            raise ValueError(f"must hold {VALUE} once, and no other braces")
        return remark

    @model_validator(mode="after")
    def _in_order(self) -> Sign:
        if self.all_from <= self.nothing_to:
            raise ValueError("all_from must be above nothing_to")
        return self

    def part(self, value: float) -> float:
        """How much of the weights a value is worth, 0 to 1."""
        return min(1.0, max(0.0, (value - self.nothing_to) / (self.all_from - self.nothing_to)))

    def say(self, value: float) -> str:
        """The remark on a value."""
        said = f"{value:.0%}" if self.measure == "talk_share" else f"{value:.0f}"
        return self.remark.replace(VALUE, said)


class ProsodyTable(Entry):
    """prosody.yaml."""

    version: Literal[1]
    signs: tuple[Sign, ...]

    @field_validator("signs")
    @classmethod
    def _stays_small(cls, signs: tuple[Sign, ...]) -> tuple[Sign, ...]:
        for id_, count in Counter(sign.id for sign in signs).items():
            if count > 1:
                raise ValueError(f"id {id_} stands twice")
        together: dict[CallType, float] = defaultdict(float)
        for sign in signs:
            for label, weight in sign.weights.items():
                together[label] += weight
        for label, total in together.items():
            if round(total, 6) > MOST:
                raise ValueError(
                    f"the weights of {label} come to {total:.2f} over all signs: {MOST} at most"
                )
        return signs


@dataclass(frozen=True, slots=True)
class Remark:
    """A sign in words, and where it was heard."""

    text: str
    evidence: Evidence
    """Without words: a span, and as its score how much of the sign's weights counted."""


class ProsodySigns:
    """What a call's prosody adds to the types, and how that is put into words."""

    def __init__(self, table: ProsodyTable) -> None:
        self._signs = table.signs

    def leanings(self, prosody: Prosody) -> Mapping[CallType, float]:
        """Log-odds to add, by type: above 0 and at most `MOST`; types without any are left out."""
        added: dict[CallType, float] = defaultdict(float)
        for sign, measure in self._heard(prosody):
            for label, weight in sign.weights.items():
                added[label] += weight * sign.part(measure.value)
        return dict(added)

    def remarks(self, prosody: Prosody, of: CallType | None = None) -> list[Remark]:
        """What is worth telling, the clearest first; with `of`, only what speaks for that type."""
        telling = [
            (sign.part(measure.value), sign, measure)
            for sign, measure in self._heard(prosody)
            if of is None or of in sign.weights
        ]
        telling.sort(key=lambda one: -one[0])
        return [
            Remark(sign.say(measure.value), _evidence(measure, part))
            for part, sign, measure in telling
            if part >= REMARKED
        ]

    def _heard(self, prosody: Prosody) -> list[tuple[Sign, Measure]]:
        measures = prosody.measures()
        return [
            (sign, measures[sign.measure])
            for sign in self._signs
            if sign.measure in measures and sign.part(measures[sign.measure].value) > 0
        ]


def load_signs(directory: Path | None = None) -> ProsodySigns:
    """The signs of a directory, or those that come with Banxi. Raises DataFileError."""
    return ProsodySigns(read_data((directory or PACKAGED) / FILE, ProsodyTable))


def _evidence(measure: Measure, part: float) -> Evidence:
    start_ms, end_ms = measure.span
    return Evidence(role="caller", start_ms=start_ms, end_ms=end_ms, score=round(part, 2))
