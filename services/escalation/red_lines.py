"""Red lines: words of serious matters, found as written and, where long enough, by their sound.

Low false alarms come first: what is said of the past, denied, supposed or only asked about is no
alarm, and short words are looked for as written only, since many innocent words sound like 跳楼 or
示威. Where no word of the file stands, a second witness that learned from labelled lines may still
point to it, as a mere sign. No model is asked: the same words give the same answer whatever else
is down.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from services.common.datafiles import Entry
from services.escalation.files import EditedFile
from services.escalation.rules import RuleId
from services.escalation.witness import Witness
from services.escalation.wording import (
    BREAK,
    SOUND_FROM,
    Found,
    Spoken,
    Wording,
    parse,
    signs_of,
    spoken,
)

MAX_TEXT = 1000
"""Characters of an utterance that are searched; nobody says more in one breath."""
REACH = 30
"""Characters of an earlier final that are read with the next: what a wording spans at most."""

_CHOICE = re.compile(r"\[[^\[\]]*\]")
_NAME = re.compile(r"<[^<>]*>")


def _is_wording(text: str) -> str:
    parse(text)
    return text


def _is_short_wording(text: str) -> str:
    parse(text, 1)
    return text


def _is_excuse(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"{value} is not one of the excuses of this file")
    return value


Word = Annotated[str, AfterValidator(_is_wording)]
ShortWord = Annotated[str, AfterValidator(_is_short_wording)]
PartName = Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,20}$")]
PartWord = Annotated[str, StringConstraints(pattern=r"^\w+$", max_length=20)]


class Excuse(Entry):
    """Words that make a red line harmless where they stand near it."""

    words: Annotated[tuple[ShortWord, ...], Field(min_length=1)]
    """The words."""
    where: Literal["before", "after", "anywhere"]
    """On which side of the red line they stand; `before` means within the same clause."""
    within: Annotated[int, Field(ge=0, le=100)] = 0
    """How many characters may stand between, for `before` and `after`."""
    unless: tuple[ShortWord, ...] = ()
    """Words that show that it happens now, anywhere in the utterance: then it is no excuse."""


class RedLine(Entry):
    """One kind of serious matter."""

    id: RuleId
    """Its name in events."""
    name: str
    """Its name for people."""
    words: Annotated[tuple[Word, ...], Field(min_length=1)]
    """Words that raise it."""
    signs: tuple[Word, ...] = ()
    """Words that may point to it: shown too, one step quieter."""
    except_: Annotated[tuple[Word, ...], Field(alias="except")] = ()
    """Harmless expressions that hold one of the words."""
    excused_by: tuple[Annotated[Excuse, BeforeValidator(_is_excuse)], ...] = ()
    """What makes the words harmless when it stands near them; in the file, by name."""

    @model_validator(mode="after")
    def _exceptions_hold_a_word(self) -> Self:
        held = {one for word in (*self.words, *self.signs) for one in parse(word).choices}
        for harmless in self.except_:
            ways = parse(harmless).expanded()
            if not any(one in way for way in islice(ways, 1000) for one in held):
                raise ValueError(f"the exception {harmless} holds none of the words of {self.id}")
        return self


class RedLines(EditedFile):
    """The whole file. Parts and excuses are put in place of their names as it is read."""

    parts: Annotated[
        dict[PartName, Annotated[tuple[PartWord, ...], Field(min_length=2)]],
        Field(default_factory=dict),
    ]
    """Lists of words that wordings name as <name>."""
    excuses: Annotated[dict[PartName, Excuse], Field(default_factory=dict)]
    """What may make words harmless."""
    red_lines: Annotated[tuple[RedLine, ...], Field(min_length=1)]
    """The kinds."""

    @field_validator("excuses", "red_lines", mode="before")
    @classmethod
    def _named(cls, raw: Any, info: ValidationInfo) -> Any:
        # A name that is not known stays, and is refused where it stands.
        raw = _spelled_out(raw, info.data.get("parts", {}))
        excuses = info.data.get("excuses", {})
        for line in raw if isinstance(raw, list) else ():
            names = line.get("excused_by") if isinstance(line, dict) else None
            if isinstance(names, list):
                line["excused_by"] = [
                    excuses.get(name, name) if isinstance(name, str) else name for name in names
                ]
        return raw

    @model_validator(mode="after")
    def _one_line_an_id(self) -> Self:
        ids = [line.id for line in self.red_lines]
        if twice := next((id_ for id_ in ids if ids.count(id_) > 1), None):
            raise ValueError(f"id {twice} stands twice")
        return self


def _spelled_out(raw: Any, parts: Mapping[str, Sequence[str]]) -> Any:
    """A copy of what a file holds with the names of parts replaced in all its texts."""
    if isinstance(raw, str):
        bare = {f"<{name}>": "|".join(words) for name, words in parts.items()}
        inside = _CHOICE.sub(lambda choice: _put(choice[0], bare), raw)
        return _put(inside, {name: f"[{words}]" for name, words in bare.items()})
    if isinstance(raw, list):
        return [_spelled_out(one, parts) for one in raw]
    if isinstance(raw, dict):
        return {key: _spelled_out(one, parts) for key, one in raw.items()}
    return raw


def _put(text: str, named: Mapping[str, str]) -> str:
    return _NAME.sub(lambda name: named.get(name[0], name[0]), text)


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
    """1 as written; by sound, how alike they sound, less than 1."""
    sign: bool = False
    """Only a sign of it."""
    learned: bool = False
    """No word of the file: the second witness suspects it, and `score` is how probable it is."""


@dataclass(frozen=True, slots=True)
class _Excuse:
    excuse: Excuse
    words: tuple[Wording, ...]
    unless: tuple[Wording, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    line: RedLine
    sign: bool
    words: tuple[Wording, ...]
    harmless: tuple[Wording, ...]
    excuses: tuple[_Excuse, ...]


class Finder:
    """Looks for red lines. One for all calls: it holds the prepared words, and no state."""

    def __init__(self, lines: Sequence[RedLine], witness: Witness | None = None) -> None:
        self._witness = witness
        self._by_id = {line.id: line for line in lines}
        self._kinds = tuple(chain.from_iterable(map(_prepare, lines)))
        self._words = tuple(
            (number, word) for number, kind in enumerate(self._kinds) for word in kind.words
        )
        # By the beginning of their rarest part, so that few are looked for in an utterance.
        self._written: dict[str, list[int]] = {}
        self._sounded: dict[str, list[int]] = {}
        for place, (_, word) in enumerate(self._words):
            word.prepare()
            for begins in {one[:2] for one in word.telling}:
                self._written.setdefault(begins, []).append(place)
            if word.longest >= SOUND_FROM:
                for begins in {signs_of(one)[:2] for one in word.telling}:
                    self._sounded.setdefault(begins, []).append(place)

    def find(self, text: str, beyond: int = 0) -> list[Heard]:
        """Red lines in an utterance, each at most once: the first place counts, and its words
        before mere signs of it.

        Only what reaches beyond the first `beyond` characters counts, for a text that begins with
        the end of an utterance already searched.
        """
        said = spoken(text[:MAX_TEXT])
        found: dict[int, list[Found]] = {}
        for number, word in self._likely(self._written, said.written.plain):
            if word.may_stand(said):
                found.setdefault(number, []).extend(word.as_written(said))
        heard = self._holding(said, found, beyond)
        found = {}
        for number, word in self._likely(self._sounded, said.signs):
            if number not in heard and word.may_sound(said):
                found.setdefault(number, []).extend(word.by_sound(said))
        heard |= self._holding(said, found, beyond)
        strong = {one.line.id for one in heard.values() if not one.sign}
        listed = [
            heard[number]
            for number in sorted(heard)
            if not (heard[number].sign and heard[number].line.id in strong)
        ]
        return listed or self._suspected(said, beyond)

    def _suspected(self, said: Spoken, beyond: int) -> list[Heard]:
        """What the second witness makes of an utterance in which no word of the file stands."""
        text = said.written
        before = bisect_left(text.places, beyond)
        if self._witness is None or before == len(text.plain):
            return []
        if (found := self._witness.suspects(text, before)) is None:
            return []
        return [
            Heard(
                line=self._by_id[found.kind],
                word="",
                words=text.words(found.start, found.end),
                start=text.places[found.start],
                score=found.probability,
                sign=True,
                learned=True,
            )
        ]

    def _likely(self, begins: Mapping[str, Sequence[int]], text: str) -> list[tuple[int, Wording]]:
        """Words that may stand in a text, by the characters and pairs of characters in it."""
        there = begins.keys() & {*text, *map("".join, pairwise(text))}
        places = {place for begin in there for place in begins[begin]}
        return [self._words[place] for place in sorted(places)]

    def _holding(
        self, said: Spoken, found: dict[int, list[Found]], beyond: int
    ) -> dict[int, Heard]:
        """For each kind its first hit that nothing makes harmless."""
        holding: dict[int, Heard] = {}
        for number, hits in found.items():
            kind = self._kinds[number]
            if not hits:
                continue
            masks = [span for harmless in kind.harmless for span in harmless.anywhere(said)]
            for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
                start, end = said.places[hit.start], said.places[hit.end - 1] + 1
                if end <= beyond or _touches(hit, masks) or _excused(kind, said, hit):
                    continue
                words = said.written.raw[start:end]
                holding[number] = Heard(kind.line, hit.word, words, start, hit.score, kind.sign)
                break
        return holding


def _prepare(line: RedLine) -> Iterator[_Prepared]:
    harmless = tuple(map(parse, line.except_))
    excuses = tuple(
        _Excuse(excuse, _short(excuse.words), _short(excuse.unless)) for excuse in line.excused_by
    )
    yield _Prepared(line, False, tuple(map(parse, line.words)), harmless, excuses)
    if line.signs:
        yield _Prepared(line, True, tuple(map(parse, line.signs)), harmless, excuses)


def _short(words: Sequence[str]) -> tuple[Wording, ...]:
    return tuple(parse(word, 1) for word in words)


def _touches(hit: Found, masks: Sequence[tuple[int, int]]) -> bool:
    """Whether a harmless expression holds the hit or stands in it; one that only runs into it
    (照片传到网上 in 照片传到网上曝光) does not."""
    return any(
        start < hit.end and hit.start < end and (hit.start <= start or hit.end <= end)
        for start, end in masks
    )


def _excused(kind: _Prepared, said: Spoken, hit: Found) -> bool:
    return any(_excuses(excuse, said, hit) for excuse in kind.excuses)


def _excuses(given: _Excuse, said: Spoken, hit: Found) -> bool:
    """Whether an excuse holds for a hit."""
    near = any(
        _near(given.excuse, said, hit, span) for word in given.words for span in word.anywhere(said)
    )
    return near and not any(True for word in given.unless for _ in word.anywhere(said))


def _near(excuse: Excuse, said: Spoken, hit: Found, span: tuple[int, int]) -> bool:
    start, end = span
    match excuse.where:
        case "before":
            between = said.text[end : hit.start]
            return end <= hit.start and len(between) <= excuse.within and BREAK not in between
        case "after":
            return 0 <= start - hit.end <= excuse.within
        case "anywhere":
            return end <= hit.start or start >= hit.end
