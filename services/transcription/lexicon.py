"""Puts right what the recogniser misheard: the site's own terms, found by their sound. Pure.

Tones are left out, and so are the differences that telephone Mandarin does not keep.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.transcript import Correction
from services.common.sound import blurred, syllables

Syllables = tuple[str, ...]

_HAN = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class _Window:
    start: int
    term: str
    exact: bool

    @property
    def end(self) -> int:
        return self.start + len(self.term)


class Lexicon:
    """Terms by their sound, and `usual` words no correction may cut in two."""

    def __init__(self, terms: Iterable[str], usual: Iterable[str] = ()) -> None:
        self.terms = tuple(terms)
        self._usual = tuple(usual)
        self._by_sound: dict[Syllables, dict[str, Syllables]] = defaultdict(dict)
        for term in self.terms:
            sound = syllables(term)
            self._by_sound[_flat(sound)][term] = sound
        self._lengths = sorted({len(term) for term in self.terms}, reverse=True)

    def correct(self, heard: str) -> tuple[str, tuple[Correction, ...]]:
        """The text with misheard terms put right, and what was changed.

        A window of as many characters as a term is replaced where it sounds like it. What is a term
        already is never touched; a window that sounds equally like several terms stays as it is.
        Windows of the very same syllables go before similar ones, then the leftmost, the longest.
        """
        found: list[_Window] = []
        settled = [False] * len(heard)
        for run in _HAN.finditer(heard):
            sound = syllables(run.group())
            for start in range(len(sound)):
                for length in self._lengths:
                    window = self._match(heard, sound, run.start(), start, length)
                    if window is None:
                        continue
                    found.append(window)
                    if heard[window.start : window.end] == window.term:
                        settled[window.start : window.end] = [True] * length
        found.sort(key=lambda window: (not window.exact, window.start, -len(window.term)))
        usual = self._usual_spans(heard)
        text = list(heard)
        corrections: list[Correction] = []
        taken = [False] * len(heard)
        for window in found:
            span = range(window.start, window.end)
            changed = [at for at in span if heard[at] != window.term[at - window.start]]
            if not changed or any(settled[at] for at in changed) or any(taken[at] for at in span):
                continue
            if any(_is_cut(word, window) for word in usual):
                continue
            text[window.start : window.end] = window.term
            taken[window.start : window.end] = [True] * len(window.term)
            corrections.append(
                Correction(
                    heard=heard[window.start : window.end], made=window.term, start=window.start
                )
            )
        corrections.sort(key=lambda correction: correction.start)
        return "".join(text), tuple(corrections)

    def _usual_spans(self, heard: str) -> list[tuple[int, int]]:
        return [
            (found.start(), found.end())
            for word in self._usual
            for found in re.finditer(word, heard)
        ]

    def _match(
        self, heard: str, sound: Sequence[str], offset: int, start: int, length: int
    ) -> _Window | None:
        window = tuple(sound[start : start + length])
        if len(window) < length:
            return None
        terms = self._by_sound.get(_flat(window))
        if not terms:
            return None
        at = offset + start
        if heard[at : at + length] in terms:
            return _Window(at, heard[at : at + length], exact=True)
        same = [term for term, exact in terms.items() if exact == window]
        candidates = same or list(terms)
        if len(candidates) > 1:
            return None
        return _Window(at, candidates[0], exact=bool(same))


def _is_cut(word: tuple[int, int], window: _Window) -> bool:
    """Whether an edge of the window lies inside the word."""
    start, end = word
    return start < window.start < end or start < window.end < end


def _flat(sound: Syllables) -> Syllables:
    return tuple(map(blurred, sound))
