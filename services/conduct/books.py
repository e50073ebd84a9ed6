"""The rules that hold: every rule file, read, checked and ready to be looked up.

To add a rule file `manner.yaml`: model it as a `RuleFile` and write `load_manner(path)` here as the
others are, `versioned(read_rules(path or DATA / "manner.yaml", MannerFile))`; then one line each in
`Rules` (`manner: MannerBook`), in `BOOKS` (`"manner": lambda own: load_manner(own.manner)`) and in
`settings.ConductSettings` (`manner: Path | None = None`), and as an option of `banxi rules check`
(tools/rules.py). Starting, reloading and versions follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from contracts.requests import Model
from services.common.datafiles import DataFileError, Entry
from services.conduct.checklist.book import Checklist, ChecklistFile
from services.conduct.manners.book import MannerBook, MannerFile
from services.conduct.phrases.book import PhraseBook
from services.conduct.phrases.detector import Detector
from services.conduct.phrases.meaning import Head, load_head
from services.conduct.phrases.rulebook import PhraseFile
from services.conduct.rulefile import read_rules, versioned
from services.conduct.scoring.scale import Scale, ScoreFile
from services.conduct.settings import ConductSettings
from services.conduct.waits.book import WaitingBook, WaitingFile

DATA = Path(__file__).with_name("data")
E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Rules:
    """All the books of one moment. Immutable: other rules are another value, so whoever holds one
    never sees half of a change. Each book has a `version` with a digest of what it says."""

    phrases: PhraseBook
    waiting: WaitingBook
    required: Checklist
    score: Scale
    manner: MannerBook
    meaning: Head

    def __post_init__(self) -> None:
        missable = {phrase.id for phrase in self.required.phrases if phrase.level}
        self.score.check(self.phrases.rules, missable)

    @cached_property
    def detector(self) -> Detector:
        """Phrases and meaning together."""
        return Detector(self.phrases, self.meaning)

    @property
    def models(self) -> tuple[Model, ...]:
        """Each book with its version, as the service describes itself."""
        return tuple(
            Model(name=book.name, version=getattr(self, book.name).version) for book in fields(self)
        )


BOOKS: Mapping[str, Callable[[ConductSettings], Any]] = {
    "phrases": lambda own: load_phrases(own.phrases),
    "waiting": lambda own: load_waiting(own.waiting, own.own_times()),
    "required": lambda own: load_required(own.required),
    "score": lambda own: load_score(own.score),
    "manner": lambda own: load_manner(own.manner, own.own_limits()),
    "meaning": lambda own: load_meaning(own.meaning),
}
"""How each book of `Rules` is loaded, from a site's own file or from the one of the service."""


class RulesWrong(DataFileError):
    """Rule files that cannot be used."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        """One sentence for each file that is wrong."""


def load_rules(own: ConductSettings | None = None) -> Rules:
    """All books, of a site's own files where it has any. Raises RulesWrong, naming every file that
    is wrong with its line, entry and field."""
    own = own or ConductSettings()
    loaded: dict[str, Any] = {}
    problems: list[str] = []
    for name, load in BOOKS.items():
        try:
            loaded[name] = load(own)
        except DataFileError as error:
            problems.append(str(error))
    if problems:
        raise RulesWrong(tuple(problems))
    try:
        return Rules(**loaded)
    except DataFileError as error:
        raise RulesWrong((str(error),)) from None


def load_phrases(path: Path | None = None) -> PhraseBook:
    """The forbidden phrases: those of `path`, or the ones that come with the service.

    Raises DataFileError with file, entry and field."""
    return PhraseBook(versioned(read_rules(path or DATA / "phrases.yaml", PhraseFile)))


def load_waiting(path: Path | None = None, times: dict[str, float] | None = None) -> WaitingBook:
    """Times and words of waiting; `times` are a site's own in place of the file's.

    Raises DataFileError with file, entry and field."""
    file = read_rules(path or DATA / "waiting.yaml", WaitingFile)
    own = _with_own(file.times, times, "times")
    return WaitingBook(versioned(file.model_copy(update={"times": own})))


def load_manner(path: Path | None = None, limits: dict[str, float] | None = None) -> MannerBook:
    """Words and limits of manner; `limits` are a site's own in place of the file's.

    Raises DataFileError with file, entry and field."""
    file = read_rules(path or DATA / "manner.yaml", MannerFile)
    own = _with_own(file.limits, limits, "limits")
    return MannerBook(versioned(file.model_copy(update={"limits": own})))


def _with_own(entry: E, own: dict[str, float] | None, what: str) -> E:
    try:
        return entry.model_validate(entry.model_dump() | (own or {}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise DataFileError(f"the site's own {what}: {message}") from None


def load_required(path: Path | None = None) -> Checklist:
    """What should be said in a call.

    Raises DataFileError with file, entry and field."""
    return Checklist(versioned(read_rules(path or DATA / "required.yaml", ChecklistFile)))


def load_score(path: Path | None = None) -> Scale:
    """What each finding costs.

    Raises DataFileError with file, entry and field."""
    path = path or DATA / "score.yaml"
    return Scale(versioned(read_rules(path, ScoreFile)), str(path))


def load_meaning(path: Path | None = None) -> Head:
    """What `banxi train conduct` learned from the exemplars. Raises DataFileError."""
    return load_head(path or DATA / "meaning.npz")
