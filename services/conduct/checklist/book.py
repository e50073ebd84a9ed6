"""`required.yaml`: what should be said in a call, and by which words it is known, as data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.base import Role
from contracts.warning import WarningKind
from services.common.datafiles import Entry
from services.common.sound import syllables
from services.common.written import Written, read
from services.conduct.phrases.align import LOOSEST, TOLERANCE, Finder
from services.conduct.phrases.rulebook import Text
from services.conduct.phrases.rulebook import Written as WrittenWording
from services.conduct.phrases.wording import Wording, parse
from services.conduct.rulefile import RuleFile

Wordings = Annotated[tuple[WrittenWording, ...], Field(min_length=1)]
Source = Annotated[str, StringConstraints(pattern=r"^([A-E]\d{0,2}(\(.{1,3}\)\d?)?|本站规定)$")]
MOMENTS = (
    "start", "caller_spoke", "matter_told", "name_told", "looked_up", "after_hold", "transfer",
    "fault", "explained", "caller_content", "caller_leaves",
)  # fmt: skip
"""Moments that make a phrase due, beside `after:ID`; `required.yaml` says what each means."""
AFTER = "after:"
EXPLAINS = "explains:"
DEALS_WITH = "deals_with:"
_ONE_OF_TWO = 0.03
"""Strain of two characters of which one was heard as another of the same sound."""
_NEGATIONS = frozenset("不没无")
_DENIED_WITHIN = 6
"""A negation at most that many characters before the words of a moment denies them."""
_NO_NEGATION = re.compile("不好意思|对不起|不过|没关系|不要紧|不用急")
"""What has the character of a negation and denies nothing."""


def _is_moment(due: str) -> str:
    if due not in MOMENTS and not due.startswith(AFTER):
        raise ValueError(f"{due!r} is no moment: {', '.join(MOMENTS)} or after:ID")
    return due


class RequiredPhrase(Entry):
    """Something that should be said in a call."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]
    """Its id; `opening`, `closing` and `name` are known to the program."""
    name: Text
    """Its name on the page."""
    source: Source
    """Where it is asked for."""
    due: Annotated[tuple[Annotated[str, AfterValidator(_is_moment)], ...], Field(min_length=1)]
    """When its moment comes; of several the first."""
    again: bool = False
    """It may fall due more than once in a call."""
    near: bool = False
    """It counts only where it is said about its moment."""
    unless: tuple[Literal["understood", "leaves"], ...] = ()
    """What the caller says that makes it needless."""
    wordings: tuple[WrittenWording, ...] = ()
    """How it is said."""
    tolerance: Annotated[float, Field(ge=TOLERANCE, le=LOOSEST)] = TOLERANCE
    """How far from its wordings it may sound; where that is set, two characters at the end of a
    clause may sound otherwise too."""
    also: Literal["asks_to_wait", "name_used", "restated", "polite_words"] | None = None
    """What else says it."""
    passed: Literal["second_turn", "closing", "ended"] | None = None
    """When a miss is certain."""
    level: Literal["remind", "note"] | None = None
    """How loud a miss is; None = nothing is made of it."""
    told_by: WarningKind | None = None
    """The kind of warning that tells of a miss where it is not `missing_phrase`."""
    message: str = ""
    """What the agent is told of a miss."""
    instead: str = ""
    """What may be said."""

    @model_validator(mode="after")
    def _complete(self) -> RequiredPhrase:
        if not self.wordings and not self.also:
            raise ValueError("wordings: is missing, and so is `also`")
        of_a_miss = {
            "passed": self.passed, "message": self.message.strip(), "instead": self.instead.strip()
        }  # fmt: skip
        for field, value in of_a_miss.items():
            if self.level and not value:
                raise ValueError(f"{field}: is missing, though a miss has a level")
            if value and not self.level:
                raise ValueError(f"{field}: says nothing without a level")
        if self.level and self.told_by:
            raise ValueError("told_by: another warning tells of the miss already, or leave level")
        return self


class PoliteWord(Entry):
    """One of the polite words, with its variants."""

    word: Text
    """The word."""
    wordings: Wordings
    """How it is said."""


class Polite(Entry):
    """The polite words a call should have."""

    at_least: Annotated[int, Field(ge=1)]
    """How many different ones are enough."""
    words: Annotated[tuple[PoliteWord, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_reached(self) -> Polite:
        if self.at_least > len(self.words):
            raise ValueError(f"at_least: there are only {len(self.words)} words")
        return self


class Moments(Entry):
    """The words by which moments are known."""

    looked_up: Wordings
    """The agent says that something is being looked up."""
    transfer: Wordings
    """The agent speaks of putting the caller through."""
    perhaps_transfer: Wordings
    """The same, unless it is the matter that is passed on."""
    passes_matter_on: Wordings
    """It is the matter that is passed on, not the call."""
    fault: Wordings
    """The agent says that something is our fault."""
    blamed: Wordings
    """The caller says so."""
    explains: Wordings
    """Words of the agent's that an explanation has; each entry is another sign of one."""
    deals_with: Wordings
    """Words of the agent's about what will be done with the matter: that is no explanation."""
    thanks: Wordings
    """The caller thanks."""
    understood: Wordings
    """The caller has understood."""
    plain_question: Wordings
    """The caller asks for an address, a number or hours."""
    leaves: Wordings
    """The caller takes leave."""
    wrong_number: Wordings
    """The caller has dialled a wrong number."""


class ChecklistFile(RuleFile):
    """The whole file."""

    required: tuple[RequiredPhrase, ...]
    polite: Polite
    moments: Moments
    titles: Annotated[tuple[Text, ...], Field(min_length=1)]
    """先生, 女士 …: what follows a name when somebody is addressed by it."""

    @model_validator(mode="after")
    def _fits(self) -> ChecklistFile:
        counted = Counter(phrase.id for phrase in self.required)
        for name, count in counted.items():
            if count > 1:
                raise ValueError(f"required {name}, id: stands there {count} times")
        for name in ("opening", "closing", "name"):
            if name not in counted:
                raise ValueError(f"required: {name} is missing")
        for phrase in self.required:
            for due in phrase.due:
                if due.startswith(AFTER) and due.removeprefix(AFTER) not in counted:
                    after = due.removeprefix(AFTER)
                    raise ValueError(f"required {phrase.id}, due: there is no {after}")
        return self


class Checklist:
    """The file, ready to be looked up."""

    def __init__(self, file: ChecklistFile) -> None:
        self.version = file.version
        self.file = file
        self.phrases = file.required
        self.by_id = {phrase.id: phrase for phrase in file.required}
        self.titles = tuple(syllables(title) for title in file.titles)
        moments = file.moments
        agents: list[tuple[str, tuple[str, ...]]] = [(p.id, p.wordings) for p in file.required]
        agents += [(f"polite:{polite.word}", polite.wordings) for polite in file.polite.words]
        agents += [
            ("moment:looked_up", moments.looked_up),
            ("moment:transfer", moments.transfer),
            ("moment:perhaps_transfer", moments.perhaps_transfer),
            ("passes_matter_on", moments.passes_matter_on),
            ("moment:fault", moments.fault),
            *((f"{EXPLAINS}{number}", (one,)) for number, one in enumerate(moments.explains)),
            (DEALS_WITH, moments.deals_with),
        ]
        callers = [
            ("moment:fault", moments.blamed),
            ("thanks", moments.thanks),
            ("understood", moments.understood),
            ("plain_question", moments.plain_question),
            ("leaves", moments.leaves),
            ("wrong_number", moments.wrong_number),
        ]
        loose = {p.id: p.tolerance for p in file.required if p.tolerance > TOLERANCE}
        self._signs = {"agent": _Signs(agents, loose), "caller": _Signs(callers, {})}

    def signs(self, role: Role, text: str) -> frozenset[str]:
        """What an utterance holds: of the agent's, ids of required phrases, `moment:…`, `polite:…`,
        `explains:…` and `deals_with:`; of the caller's, `moment:fault` and the lists of `Moments`
        named for it."""
        found = self._signs[role].of(read(text))
        if "moment:perhaps_transfer" in found and "passes_matter_on" not in found:
            found |= {"moment:transfer"}
        return found - {"moment:perhaps_transfer", "passes_matter_on"}


class _Signs:
    """Finds which of many lists of wordings a text holds a wording of."""

    def __init__(
        self, lists: Iterable[tuple[str, tuple[str, ...]]], loose: Mapping[str, float]
    ) -> None:
        self._loose = loose
        self._owners: dict[Wording, set[str]] = {}
        for name, wordings in lists:
            for written in wordings:
                self._owners.setdefault(parse(written), set()).add(name)
        # A sign too many does less harm than one too few: shorter wordings may be matched by sound.
        self._finder = Finder(tuple(self._owners), by_sound_from=3)
        self._far = max(loose.values(), default=0.0)
        self._farther = Finder(
            tuple(wording for wording, names in self._owners.items() if names & loose.keys()),
            by_sound_from=2,
        )

    def of(self, text: Written) -> frozenset[str]:
        found: set[str] = set()
        for match in self._finder.find(text):
            before = text.plain[text.clause_start(match.start) : match.start]
            near = _NO_NEGATION.sub("", before)[-_DENIED_WITHIN:]
            denied = not _NEGATIONS.isdisjoint(near)
            found |= {
                name
                for name in self._owners[match.wording]
                if not (denied and name.startswith("moment:"))
            }
        for match in self._farther.find(text, self._far):
            # 再见 is heard as 再建, but also in 再简单说说.
            if match.length > 2 or (match.strain <= _ONE_OF_TWO and match.end in text.breaks):
                names = self._owners[match.wording]
                found |= {n for n in names if match.strain <= self._loose.get(n, 0.0)}
        return frozenset(found)
