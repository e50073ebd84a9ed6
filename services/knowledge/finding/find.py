"""How strongly a question speaks for each entry. Pure: words and similarities in, scores out.

Three witnesses are heard: the vectors (what is meant), the characters (what is said) and the sounds
(what it may have been before a recogniser misheard it). None of them is right alone. The whole
way of a question: docs/knowledge.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import Background
from services.knowledge.finding.ranking import Evidence, Ranking, packaged_ranking, weighed
from services.knowledge.finding.wording import characters, sounds
from services.knowledge.finding.words import Floats, Words


@dataclass(frozen=True, slots=True)
class Similar:
    """Similarities of a question's vector to those of an index; NaN where they are
    not known yet."""

    asked: Floats
    """Per entry, to its nearest wording."""
    about: Floats
    """Per entry, to the entry as a whole."""
    lines: Floats
    """Per line of the background."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the witnesses say of a question."""

    witnesses: Floats
    """One row an entry, in the order of `ranking.WITNESSES`."""
    talk: float
    """How much the question is like talk that asks nothing."""
    other: float
    """How much it is like questions of any kind."""


class Finder:
    """Compares questions with the wordings of all entries, and with the background."""

    def __init__(
        self, entries: Sequence[Entry], background: Background, ranking: Ranking | None = None
    ) -> None:
        self._ranking = ranking or packaged_ranking()
        self._talk = slice(0, len(background.talk))
        self._lines = len(background.lines)
        lines = [(line,) for line in background.lines]
        self._chars = Words.of([characters(text) for text in owner] for owner in lines)
        self._sounds = Words.of([sounds(text) for text in owner] for owner in lines)
        if entries:
            self._change((), entries)

    def changed(self, dropped: Sequence[int], added: Sequence[Entry]) -> Finder:
        """This without the entries at some positions, and with others after the last one."""
        finder = copy(self)
        finder._change(dropped, added)
        return finder

    def _change(self, dropped: Sequence[int], added: Sequence[Entry]) -> None:
        gone = [position + self._lines for position in dropped]
        self._chars = self._chars.changed(
            gone, [[characters(text) for text in entry.wordings] for entry in added]
        )
        self._sounds = self._sounds.changed(
            gone, [[sounds(text) for text in entry.wordings] for entry in added]
        )

    @property
    def count(self) -> int:
        """Entries."""
        return self._chars.count - self._lines

    def evidence(self, text: str, similar: Similar | None) -> Evidence:
        """What `text` speaks for; `similar` is None where nobody made a vector of it."""
        heard = self.hear(text, similar)
        weights = self._ranking.words if similar is None else self._ranking.meaning
        scores = weighed(heard.witnesses, weights)
        asked = heard.witnesses[:, 0]
        return Evidence(scores, heard.talk, heard.other, asked, len(text), weights)

    def hear(self, text: str, similar: Similar | None) -> Heard:
        """The witnesses one by one. Where similarities are not known, the characters stand in."""
        like, cover = self._chars.compare(characters(text))
        like_sound, cover_sound = self._sounds.compare(sounds(text))
        asked, about = self._ranking.stand_in(like, cover)
        lines = asked[: self._lines]
        asked, about = asked[self._lines :], about[self._lines :]
        if similar is not None:
            asked = np.where(np.isnan(similar.asked), asked, similar.asked)
            about = np.where(np.isnan(similar.about), about, similar.about)
            lines = np.where(np.isnan(similar.lines), lines, similar.lines)
        by_words = (like, cover, like_sound, cover_sound)
        return Heard(
            np.stack([asked, about, *(witness[self._lines :] for witness in by_words)], axis=1),
            talk=float(lines[self._talk].max()),
            other=float(lines[self._talk.stop :].max()),
        )

    def overlap(self, text: str) -> float:
        """How much of a text the entry knows that knows most of it, by its characters; 0–2."""
        like, cover = self._chars.compare(characters(text))
        return float((like + cover)[self._lines :].max(initial=0.0))


def background_owner(line: int) -> str:
    """The name under which a line of the background stands in an index. No entry has such an id."""
    return f" {line}"
