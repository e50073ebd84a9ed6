"""`manner.yaml`: how fast and how attentively an agent talks, as words and limits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from contracts.base import Role
from contracts.warning import WarningKind
from services.common.datafiles import Entry
from services.common.written import PARTICLES, Written, read
from services.conduct.phrases.align import Finder
from services.conduct.phrases.rulebook import Text
from services.conduct.phrases.rulebook import Written as WrittenWording
from services.conduct.phrases.wording import parse
from services.conduct.rulefile import RuleFile
from services.conduct.waits.book import CardText, Seconds, WarningText, Wordings

BY_SOUND_FROM = 3
EXCEPTION_TOLERANCE = 0.1
CallerSign = Literal["caller_asks", "caller_waits", "abuse"]
AgentSign = Literal["abuse_warning", "transfer", "lets_look", "records", "asks_to_repeat"]
Sign = CallerSign | AgentSign | Literal["question"]
"""What an utterance shows; `question`: it leaves the word to the caller."""
KINDS: tuple[WarningKind, ...] = (
    "hold_unannounced", "hold_without_thanks", "caller_unattended", "talking_over", "interrupted",
    "pace", "verbal_tic", "no_acknowledgement", "asks_to_repeat",
)  # fmt: skip
"""The warnings whose words stand in this file."""
_LATIN = re.compile(r"[a-z]+")


class Limits(Entry):
    """From where on something is too much."""

    pace_limit: Annotated[float, Field(ge=100, le=900)]
    """Characters a minute of the agent's own speech above which it is too fast."""
    pace_calm: Annotated[float, Field(ge=50, le=900)]
    """Below this the next warning of it may come."""
    pace_window_s: Seconds
    """The last seconds of speech that are looked at."""
    pace_least_s: Seconds
    """Less speech is not judged."""
    pace_least_characters: Annotated[int, Field(ge=1, le=1000)]
    """Nor fewer characters."""
    tic_window_characters: Annotated[int, Field(ge=100, le=5000)]
    """The last characters of the agent among which tics are counted."""
    acknowledge_s: Seconds
    """The caller tells for so long without a word from the agent."""
    acknowledge_pause_s: Seconds
    """Pauses of the caller that belong to the telling."""
    repeat_times: Annotated[int, Field(ge=2, le=20)]
    """So many requests to repeat are too many."""
    repeat_window_s: Annotated[float, Field(gt=0, le=3600)]
    """Within this time."""

    def ms(self, field: str) -> int:
        """One of them that is in seconds, in milliseconds."""
        return round(float(getattr(self, field)) * 1000)

    @model_validator(mode="after")
    def _in_order(self) -> Limits:
        if not self.pace_calm <= self.pace_limit:
            raise ValueError("pace_calm must not be above pace_limit")
        if not self.pace_least_s <= self.pace_window_s:
            raise ValueError("pace_least_s must not be above pace_window_s")
        return self


class SignWords(Entry):
    """How something is said."""

    wordings: Wordings
    """How it is said."""
    exceptions: tuple[WrittenWording, ...] = ()
    """Wordings that hold one of those and mean something else."""
    alone: tuple[Text, ...] = ()
    """An utterance of nothing but these counts as well."""
    tail: Annotated[int, Field(ge=0, le=100)] | None = None
    """How many characters may follow; None = any number."""


class Signs(Entry):
    """What can be told from words."""

    caller_asks: SignWords
    """The caller does not know whether anybody is there."""
    caller_waits: SignWords
    """The caller asks the agent to wait."""
    abuse: SignWords
    """The caller is abusive."""
    abuse_warning: SignWords
    """The agent says that the call will be ended."""
    transfer: SignWords
    """The agent says that the call is being transferred."""
    lets_look: SignWords
    """The agent gives the caller time to look for something, or to write it down."""
    records: SignWords
    """The agent is writing down what the caller told."""
    asks_to_repeat: SignWords
    """The agent asks the caller to say it again."""


class Tic(Entry):
    """A word that an agent may say again and again."""

    word: Text
    """As the agent is told."""
    forms: Annotated[tuple[Text, ...], Field(min_length=1)]
    """How it is said."""
    per_100: Annotated[float, Field(gt=0, le=100)]
    """So often in a hundred characters."""
    least: Annotated[int, Field(ge=2, le=100)]
    """And at least so often."""


class MannerFile(RuleFile):
    """The whole file."""

    limits: Limits
    signs: Signs
    questions: Annotated[tuple[Text, ...], Field(min_length=1)]
    tics: tuple[Tic, ...]
    warnings: dict[WarningKind, WarningText]
    unattended_card: CardText

    @model_validator(mode="after")
    def _complete(self) -> MannerFile:
        for word, count in Counter(tic.word for tic in self.tics).items():
            if count > 1:
                raise ValueError(f"tics {word}, word: stands there {count} times")
        for kind in self.warnings:
            if kind not in KINDS:
                raise ValueError(f"warnings: {kind} does not belong into this file")
        for kind in KINDS:
            if kind not in self.warnings:
                raise ValueError(f"warnings: {kind} is missing")
        return self


@dataclass(frozen=True, slots=True)
class Manner:
    """What one utterance shows of the manner of its speaker."""

    signs: frozenset[Sign] = frozenset()
    characters: int = 0
    """How many characters were spoken; a Latin word counts as one."""
    tics: tuple[tuple[str, int], ...] = ()
    """Tics and how often each was said."""


class MannerBook:
    """The file, ready to be looked up."""

    def __init__(self, file: MannerFile) -> None:
        self.version = file.version
        self.limits = file.limits
        self.file = file
        self._signs = {
            name: _Heard(getattr(file.signs, name))
            for name in (*get_args(CallerSign), *get_args(AgentSign))
        }
        self._questions = tuple(read(word).plain for word in file.questions)
        self._tics = {tic.word: _one_of(tic.forms) for tic in file.tics}

    def of(self, role: Role, text: str) -> Manner:
        """Read an utterance."""
        written = read(text)
        agents = role == "agent"
        looked_for = get_args(AgentSign) if agents else get_args(CallerSign)
        signs: set[Sign] = {name for name in looked_for if self._signs[name].is_in(written)}
        if agents and self._asks(written):
            signs.add("question")
        tics = [(word, len(form.findall(written.plain))) for word, form in self._tics.items()]
        return Manner(
            signs=frozenset(signs),
            characters=len(_LATIN.sub("x", written.plain)),
            tics=tuple((word, count) for word, count in tics if count) if agents else (),
        )

    def _asks(self, written: Written) -> bool:
        size = len(written.plain)
        if not size:
            return False
        last = written.plain[written.clause_start(size - 1) :]
        return any(word in last for word in self._questions)


class _Heard:
    """One group of words, ready to be looked for."""

    def __init__(self, words: SignWords) -> None:
        self._wordings = _finder(words.wordings)
        self._exceptions = _finder(words.exceptions)
        self._alone = _one_of((*words.alone, *PARTICLES)) if words.alone else None
        self._tail = words.tail

    def is_in(self, text: Written) -> bool:
        if self._alone and text.plain and not self._alone.sub("", text.plain):
            # Particles alone say nothing.
            return any(character not in PARTICLES for character in text.plain)
        found = [
            match
            for match in self._wordings.find(text)
            if self._tail is None or len(text.plain) - match.end <= self._tail
        ]
        if not found:
            return False
        harmless = list(self._exceptions.find(text, EXCEPTION_TOLERANCE))
        return any(
            not any(other.start < match.end and match.start < other.end for other in harmless)
            for match in found
        )


def _finder(wordings: tuple[str, ...]) -> Finder:
    return Finder([parse(written) for written in wordings], by_sound_from=BY_SOUND_FROM)


def _one_of(words: tuple[str, ...]) -> re.Pattern[str]:
    # Longest first, so that 然后呢 is not read as 然后.
    plain = sorted({read(word).plain for word in words}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, plain)) or "(?!)")
