"""`score.yaml`: what each finding costs, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from contracts.warning import Level, WarningKind, WarningRaised
from services.common.datafiles import DataFileError, Entry
from services.conduct.checklist.book import Source
from services.conduct.phrases.rulebook import Text
from services.conduct.rulefile import RuleFile

LOUDNESS: dict[Level, int] = {"note": 0, "remind": 1, "alarm": 2}


class Findings(Entry):
    """What leads to an item."""

    rules: tuple[Text, ...] = ()
    """Forbidden phrases, by id."""
    phrases: tuple[Text, ...] = ()
    """Required phrases that were missed, by id."""
    warnings: tuple[WarningKind, ...] = ()
    """Other kinds of warnings."""

    @model_validator(mode="after")
    def _of_its_own(self) -> Findings:
        for kind, field in (("forbidden_phrase", "rules"), ("missing_phrase", "phrases")):
            if kind in self.warnings:
                raise ValueError(f"warnings: name what it is about under {field}, not {kind}")
        return self


class Item(Entry):
    """A line of the score table."""

    model_config = ConfigDict(populate_by_name=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    """Fixed name; deductions refer to it."""
    name: Text
    """Its name on the page."""
    points: Annotated[int, Field(ge=1, le=100)]
    """What it costs each time."""
    source: Source
    """Where it stands."""
    judged: bool = True
    """False: a machine cannot hear it."""
    why: str = ""
    """Why it is left to the inspector."""
    findings: Annotated[Findings, Field(alias="from")] = Findings()
    """What leads to it."""
    level: Level = "remind"
    """The quietest level of a warning that costs."""
    at_most: Annotated[int, Field(ge=1)] | None = None
    """How often it costs in one call; None = every time."""
    zeroes: bool = False
    """While it stands, the whole call scores 0."""

    @model_validator(mode="after")
    def _complete(self) -> Item:
        leads = bool(self.findings.rules or self.findings.phrases or self.findings.warnings)
        if self.judged and not leads:
            raise ValueError("from: is missing: say what leads to it, or judged: false and why")
        if not self.judged and leads:
            raise ValueError("from: nothing leads to an item that is not judged")
        if self.judged == bool(self.why.strip()):
            raise ValueError("why: belongs to an item that is not judged, and to no other")
        return self


class ScoreFile(RuleFile):
    """The whole file."""

    items: Annotated[tuple[Item, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> ScoreFile:
        for name, count in Counter(item.id for item in self.items).items():
            if count > 1:
                raise ValueError(f"items, entry {name}, id: stands there {count} times")
        owner: dict[tuple[str, str], str] = {}
        for item in self.items:
            for field in ("rules", "phrases", "warnings"):
                for name in getattr(item.findings, field):
                    if other := owner.get((field, name)):
                        place = f"items, entry {item.id}, from, {field}"
                        raise ValueError(f"{place}: {name} leads to {other} already")
                    owner[field, name] = item.id
        return self


class Scale:
    """The file, ready to be looked up."""

    def __init__(self, file: ScoreFile, place: str) -> None:
        self.version = file.version
        self.place = place
        self.file = file
        self.items = {item.id: item for item in file.items}
        self._rules = {rule: item for item in file.items for rule in item.findings.rules}
        self._phrases = {phrase: item for item in file.items for phrase in item.findings.phrases}
        self._kinds = {kind: item for item in file.items for kind in item.findings.warnings}

    def item_of(self, warning: WarningRaised) -> Item | None:
        """The item a warning leads to; None where it costs nothing."""
        if warning.kind == "forbidden_phrase":
            item = self._rules.get(warning.by.name)
        elif warning.kind == "missing_phrase":
            item = self._phrases.get(warning.by.name)
        else:
            item = self._kinds.get(warning.kind)
        return item if item and LOUDNESS[warning.level] >= LOUDNESS[item.level] else None

    def check(self, rules: Container[str], phrases: Container[str]) -> None:
        """Whether all it names exists: forbidden phrases, and the required ones of which a miss is
        told. Raises DataFileError with file, entry and field."""
        for item in self.file.items:
            place = f"{self.place}, items, entry {item.id}, from"
            for rule in item.findings.rules:
                if rule not in rules:
                    raise DataFileError(f"{place}, rules: there is no forbidden phrase {rule}")
            for phrase in item.findings.phrases:
                if phrase not in phrases:
                    raise DataFileError(
                        f"{place}, phrases: there is no required phrase {phrase} with a level"
                    )
