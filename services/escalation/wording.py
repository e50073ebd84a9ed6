"""How words are written in the red-line file, and how they are found: as written and by sound.

Notation: `[a|b]` one of them, `[a|b|]` one of them or nothing, `…` up to 8 characters of the same
clause, `……` up to 20 of whatever follows, `^` where a clause begins, `$` where it ends (particles
may follow). Punctuation inside the words spoken counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from services.common.sound import blurred, syllables, tones
from services.common.written import PARTICLES, Written, read

BREAK = "\n"
"""Stands between clauses in a text that is searched."""
GAP = 8
"""Characters that `…` may skip."""
WIDE_GAP = 14
"""Characters that `……` may skip."""
MAX_WORDING = 1000
"""Characters of a wording at most, its parts written out."""
SOUND_FROM = 4
"""Characters between two gaps from which they are also found by sound."""
ALIKE_MIN = 0.75
"""How alike they must sound then: 有人手上 must not be heard as 有人受伤."""
SAME_TONE, OTHER_TONE = 0.6, 0.3
"""What a character counts that only sounds like the one of the file; 1 = it is the same."""

_COMMON = 0.03
"""How often a character stands in talk, about."""

_TOKEN = re.compile(r"\[(?P<choice>[^\[\]]*)\]|(?P<wide>……)|(?P<gap>…)|(?P<text>\w+)")
_ENDS = f"[{''.join(sorted(PARTICLES))}]*(?={BREAK}|\\Z)"


class WordingError(ValueError):
    """A wording that cannot be read. The message is half a sentence: what is wrong with it."""


@dataclass(frozen=True)
class Spoken:
    """An utterance, ready to be searched."""

    written: Written

    @cached_property
    def text(self) -> str:
        """Its characters that count, with a BREAK between clauses."""
        plain, breaks = self.written.plain, self.written.breaks
        return "".join(BREAK * (i in breaks and i > 0) + char for i, char in enumerate(plain))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """For each character of `text` its index in the utterance; a BREAK has the next one's."""
        breaks = self.written.breaks
        places: list[int] = []
        for index, place in enumerate(self.written.places):
            places.extend([place] * (1 + (index in breaks and index > 0)))
        return tuple(places)

    @cached_property
    def signs(self) -> str:
        """A sign for the sound of each character, clauses run together."""
        return "".join(_signs.get(blurred(sound), _NO_SIGN) for sound in self.written.sounds)

    @cached_property
    def sounds(self) -> str:
        """`text` with a sign for each sound in place of its characters."""
        return self._spread(list(self.signs), BREAK)

    @cached_property
    def tones(self) -> str:
        """The tone of each character of `text`; a space where there is none."""
        return self._spread([tone or " " for tone in tones(self.written.plain)], " ")

    def _spread(self, marks: list[str], at_break: str) -> str:
        spread = iter(marks)
        return "".join(at_break if char == BREAK else next(spread) for char in self.text)


def spoken(text: str) -> Spoken:
    """Make an utterance ready to be searched."""
    return Spoken(read(text))


@dataclass(frozen=True, slots=True)
class Found:
    """Words found in an utterance; indexes are those of `Spoken.text`."""

    start: int
    end: int
    score: float
    """1 = as written; by sound, how alike it sounds, less than 1."""
    word: str
    """The words of the file that were found, what lies between them left as spoken."""


Choice = tuple[str, ...]
_Part = Choice | int
"""Alternatives, of which one may be empty; or how many characters are skipped at most."""


@dataclass(frozen=True)
class Wording:
    """A wording of the file, ready to be looked for."""

    text: str
    parts: tuple[_Part, ...]
    at_start: bool
    at_end: bool

    def prepare(self) -> None:
        """Make ready what the first search would wait for."""
        _ = self._written, self._runs, self._needed
        if self.longest >= SOUND_FROM:
            _ = self._sounded, self._needed_signs

    @cached_property
    def telling(self) -> Choice:
        """Its part that is rarest in talk: where none of these words stands, it does not either."""
        return self._needed[0]

    @cached_property
    def _needed(self) -> tuple[Choice, ...]:
        """Its parts that must not be left out, the rarest in talk first."""
        choices = [part for part in self.parts if isinstance(part, tuple) and "" not in part]
        return tuple(sorted(choices, key=lambda part: sum(_COMMON ** len(one) for one in part)))

    def may_stand(self, text: Spoken) -> bool:
        """Whether each of its parts stands somewhere, which is quick to tell."""
        plain = text.written.plain
        return all(any(one in plain for one in part) for part in self._needed)

    def may_sound(self, text: Spoken) -> bool:
        """The same by sound."""
        return all(any(one in text.signs for one in part) for part in self._needed_signs)

    @cached_property
    def longest(self) -> int:
        """Characters of its longest run of words between gaps."""
        return max(sum(max(map(len, part)) for part in run) for run in self._runs)

    @cached_property
    def choices(self) -> frozenset[str]:
        """All words that stand in it."""
        return frozenset(
            one for part in self.parts if isinstance(part, tuple) for one in part if one
        )

    def expanded(self) -> Iterator[str]:
        """Each way to say it, without what gaps may hold."""
        choices = [part for part in self.parts if isinstance(part, tuple)]
        return map("".join, product(*choices))

    def as_written(self, text: Spoken) -> Iterator[Found]:
        """Where it stands."""
        for match in _all(self._written, text.text):
            yield Found(*match.span("all"), 1.0, self.text)

    def by_sound(self, text: Spoken) -> Iterator[Found]:
        """Where words stand that sound like it."""
        for match in _all(self._sounded, text.sounds):
            if found := self._weighed(text, match):
                yield found

    def _weighed(self, text: Spoken, match: re.Match[str]) -> Found | None:
        """What sounds like it: each part at least half as written, and each run of parts that is
        not altogether so, long and alike enough."""
        word, points, length, number = "", 0.0, 0, 1
        start = last = match.start("all")
        for run in self._runs:
            same, alike, long = 0, 0.0, 0
            for choice in run:
                number += 1
                first, end = match.span(number)
                said = text.sounds[first:end].replace(BREAK, "")
                as_written, sounding, meant = max(
                    (*_points(text, first, end, one), one)
                    for one in choice
                    if signs_of(one) == said
                )
                if 2 * as_written < len(meant):
                    return None
                same, alike, long = same + as_written, alike + sounding, long + len(meant)
                word += text.text[last:first].replace(BREAK, "") + meant
                last = end
            if same < long and (long < SOUND_FROM or alike < ALIKE_MIN * long):
                return None
            points, length = points + alike, length + long
        return Found(start, match.end("all"), 0.95 * points / length, word)

    @cached_property
    def _runs(self) -> tuple[tuple[Choice, ...], ...]:
        """Its parts between the gaps."""
        runs: list[list[Choice]] = [[]]
        for part in self.parts:
            if isinstance(part, tuple):
                runs[-1].append(part)
            else:
                runs.append([])
        return tuple(map(tuple, runs))

    def anywhere(self, text: Spoken) -> Iterator[tuple[int, int]]:
        """Spans in which it stands, as written or, where long enough, by sound."""
        if self.may_stand(text):
            for found in self.as_written(text):
                yield found.start, found.end
        if self.longest >= SOUND_FROM and self.may_sound(text):
            for found in self.by_sound(text):
                yield found.start, found.end

    @cached_property
    def _needed_signs(self) -> tuple[Choice, ...]:
        return tuple(tuple(map(signs_of, part)) for part in self._needed)

    @cached_property
    def _written(self) -> re.Pattern[str]:
        return self._pattern(lambda one: one)

    @cached_property
    def _sounded(self) -> re.Pattern[str]:
        return self._pattern(signs_of)

    def _pattern(self, of: Callable[[str], str]) -> re.Pattern[str]:
        pattern = ""
        for part in self.parts:
            if isinstance(part, int):
                pattern += f"[^{BREAK}]{{0,{GAP}}}?" if part == GAP else f"[\\s\\S]{{0,{part}}}?"
            else:
                # The longest first: [跳|跳下去] must not stop short.
                ways = sorted((of(one) for one in part), key=len, reverse=True)
                pattern += f"({'|'.join(map(_across, ways))})"
        before = f"(?:(?<={BREAK})|(?<!.))" if self.at_start else ""
        # Particles are not looked for by sound: there they stand in the way.
        return re.compile(f"{before}(?P<all>{pattern}){_ENDS if self.at_end else ''}", re.DOTALL)


def parse(text: str, least: int = 2) -> Wording:
    """Read a wording of at least so many characters. Raises WordingError."""
    if len(text) > MAX_WORDING:
        raise WordingError(f"is longer than {MAX_WORDING} characters, its parts written out")
    at_start, at_end = text.startswith("^"), text.endswith("$")
    rest = text[at_start : len(text) - at_end]
    parts: list[_Part] = []
    place = 0
    while place < len(rest):
        token = _TOKEN.match(rest, place)
        if not token and (name := re.match(r"<[^<>]*>", rest[place:])):
            raise WordingError(f"{name[0]} is not one of the parts of this file")
        if not token:
            raise WordingError(f"{rest[place:][:8]!r} has no meaning here")
        place = token.end()
        parts.append(_part(token))
    first, last = (parts[0], parts[-1]) if parts else (0, 0)
    for end in (first, last):
        if isinstance(end, int):
            raise WordingError("must begin and end with words")
    if isinstance(first, tuple) and "" in first:
        raise WordingError("must not begin with something that may be left out")
    wording = Wording(text, tuple(parts), at_start, at_end)
    if sum(min(map(len, part)) for part in parts if isinstance(part, tuple)) < least:
        raise WordingError(f"must hold at least {least} characters, whatever is left out")
    return wording


def _part(token: re.Match[str]) -> _Part:
    if token["wide"]:
        return WIDE_GAP
    if token["gap"]:
        return GAP
    if token["text"]:
        return (_plain(token["text"]),)
    choice = tuple(dict.fromkeys(map(_plain, token["choice"].split("|"))))
    if len(choice) < 2:
        raise WordingError(f"[{token['choice']}] offers no choice")
    return choice


def _plain(text: str) -> str:
    """Text as it is compared. Raises WordingError."""
    if text and not re.fullmatch(r"\w+", text):
        raise WordingError(f"{text!r} may hold letters, characters and digits only")
    return read(text).plain


_signs: dict[str, str] = {}
"""A sign for each sound of the file's words: a character of the private use area."""
_NO_SIGN = "\0"


def signs_of(text: str) -> str:
    """The signs of a text of the file."""
    sounds = map(blurred, syllables(text))
    return "".join(_signs.setdefault(sound, chr(0xE000 + len(_signs))) for sound in sounds)


def _points(text: Spoken, start: int, end: int, meant: str) -> tuple[int, float]:
    """How many characters from `start` to `end` are those of `meant`, which sounds the same, and
    how alike they are with those that only sound like them."""
    said = [index for index in range(start, end) if text.text[index] != BREAK]
    same, points = 0, 0.0
    for index, char, tone in zip(said, meant, tones(meant), strict=True):
        same += text.text[index] == char
        heard = SAME_TONE if text.tones[index] == tone else OTHER_TONE
        points += 1.0 if text.text[index] == char else heard
    return same, points


def _across(word: str) -> str:
    """The pattern of a word. Clauses may break within it, but not within two characters, which too
    often meet by chance: 开证明，火化."""
    return (f"{BREAK}?" if len(word) > 2 else "").join(map(re.escape, word))


def _all(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Every match, overlapping ones included, one a place where it begins."""
    match = pattern.search(text)
    while match:
        yield match
        match = pattern.search(text, match.start() + 1)
