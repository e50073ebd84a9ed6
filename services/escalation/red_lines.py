"""Red lines: words of serious matters, found as written and, where long enough, by their sound.

Low false alarms come first: short words are looked for as written only, since many innocent words
sound like 跳楼 or 示威; longer ones also by sound, since the recogniser errs in homophones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from services.common.datafiles import Entry
from services.common.sound import blurred, syllables, tones
from services.common.text import ALIKE
from services.escalation.files import EditedFile
from services.escalation.rules import RuleId

MAX_TEXT = 1000
"""Characters of an utterance that are searched; nobody says more in one breath."""
MAX_WORD = 12
"""Characters of a word or an exception at most."""
SOUND_MIN = 4
"""Syllables from which a word is also found by its sound."""
TONES_MIN = 0.75
"""Share of its tones that must agree then: 有人手上 must not be heard as 有人受伤."""

Word = Annotated[str, StringConstraints(min_length=2, max_length=MAX_WORD, pattern=r"^\w+$")]


class RedLine(Entry):
    """One kind of serious matter."""

    id: RuleId
    """Its name in events."""
    name: str
    """Its name for people."""
    words: Annotated[tuple[Word, ...], Field(min_length=1)]
    """Words that raise it."""
    except_: Annotated[tuple[Word, ...], Field(alias="except")] = ()
    """Harmless expressions that hold one of the words."""

    @model_validator(mode="after")
    def _exceptions_hold_a_word(self) -> Self:
        for harmless in self.except_:
            if not any(word in harmless for word in self.words):
                raise ValueError(f"the exception {harmless} holds none of the words of {self.id}")
        return self


class RedLines(EditedFile):
    """The whole file."""

    red_lines: Annotated[tuple[RedLine, ...], Field(min_length=1)]
    """The kinds."""

    @model_validator(mode="after")
    def _one_line_an_id(self) -> Self:
        ids = [line.id for line in self.red_lines]
        if twice := next((id_ for id_ in ids if ids.count(id_) > 1), None):
            raise ValueError(f"id {twice} stands twice")
        return self


@dataclass(frozen=True, slots=True)
class Heard:
    """A red line was heard."""

    line: RedLine
    word: str
    """The word of the file."""
    words: str
    """The words as they stand in the utterance."""
    start: int
    """Index of their first character in the utterance."""
    score: float
    """1 as written; by sound, the share of tones that agree, a little less."""


@dataclass(frozen=True, slots=True)
class _Sounds:
    """Syllables of a text, one a character: without tone and what dialects mix up; and tones."""

    syllables: tuple[str, ...]
    tones: tuple[str, ...]


def _sounds(text: str) -> _Sounds:
    return _Sounds(tuple(map(blurred, syllables(text))), tones(text))


@dataclass(frozen=True, slots=True)
class _Prepared:
    line: RedLine
    words: tuple[tuple[str, str], ...]
    """Each word, and as it is compared."""
    harmless: tuple[str, ...]
    """Exceptions as they are compared, the longest first."""
    sounds: tuple[tuple[str, _Sounds], ...]
    """Words long enough to be found by sound."""
    harmless_sounds: tuple[tuple[str, ...], ...]
    """Syllables of the exceptions that are longer than such a word."""


class Finder:
    """Looks for red lines. One for all calls: it holds the prepared words, and no state."""

    def __init__(self, lines: Sequence[RedLine]) -> None:
        self._lines = tuple(_prepare(line) for line in lines)

    def find(self, text: str, beyond: int = 0) -> list[Heard]:
        """Red lines in an utterance, each at most once: the first place counts.

        Only what reaches beyond the first `beyond` characters counts, for a text that begins with
        the end of an utterance already searched.
        """
        text = text[:MAX_TEXT]
        places = [index for index, char in enumerate(text) if char.isalnum()]
        if not places:
            return []
        bare = "".join(text[index] for index in places).translate(ALIKE)
        sounds: _Sounds | None = None
        heard = []
        for prepared in self._lines:
            found = _written(prepared, bare)
            candidates = list(found)
            if not candidates and prepared.sounds:
                sounds = sounds or _sounds(bare)
                candidates = list(_by_sound(prepared, bare, sounds))
            candidates = [c for c in candidates if places[c[1] + len(c[0]) - 1] >= beyond]
            if not candidates:
                continue
            word, at, score = min(candidates, key=lambda found: (found[1], -len(found[0])))
            start, end = places[at], places[at + len(word) - 1] + 1
            heard.append(Heard(prepared.line, word, text[start:end], start, score))
        return heard


def _prepare(line: RedLine) -> _Prepared:
    harmless = tuple(
        sorted((text.translate(ALIKE) for text in line.except_), key=len, reverse=True)
    )
    words = tuple((word, word.translate(ALIKE)) for word in line.words)
    return _Prepared(
        line=line,
        words=words,
        harmless=harmless,
        sounds=tuple(
            (word, _sounds(compared)) for word, compared in words if len(word) >= SOUND_MIN
        ),
        harmless_sounds=tuple(
            _sounds(text).syllables for text in harmless if len(text) > SOUND_MIN
        ),
    )


def _written(prepared: _Prepared, text: str) -> Iterator[tuple[str, int, float]]:
    masks = [span for harmless in prepared.harmless for span in _spans(text, harmless)]
    for word, compared in prepared.words:
        for start, end in _spans(text, compared):
            if not _inside(start, end, masks):
                yield word, start, 1.0


def _by_sound(prepared: _Prepared, text: str, sounds: _Sounds) -> Iterator[tuple[str, int, float]]:
    masks = [
        *(span for harmless in prepared.harmless for span in _spans(text, harmless)),
        *(
            span
            for harmless in prepared.harmless_sounds
            for span in _spans(sounds.syllables, harmless)
        ),
    ]
    for word, wanted in prepared.sounds:
        for start, end in _spans(sounds.syllables, wanted.syllables):
            agree = sum(a == b for a, b in zip(wanted.tones, sounds.tones[start:end], strict=True))
            score = agree / len(word)
            if score >= TONES_MIN and not _inside(start, end, masks):
                yield word, start, 0.9 * score


def _spans(text: Sequence[str], wanted: Sequence[str]) -> Iterator[tuple[int, int]]:
    size = len(wanted)
    for start in range(len(text) - size + 1):
        if text[start : start + size] == wanted:
            yield start, start + size


def _inside(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(first <= start and end <= last for first, last in spans)
