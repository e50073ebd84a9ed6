"""What the head looks at in a moment: grams and vectors by place. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from contracts.base import Role
from services.call_type.situations.book import Situation
from services.common.grams import grams
from services.common.sound import blurred
from services.common.vectors import Vector
from services.common.written import Written, read

GRAM_PLACES = ("caller", "agent", "before", "signs")
"""The last turn, where it is the caller's or the agent's · the turn before it · signal words, whose
turn it is, silence."""
VECTOR_PLACES = ("caller", "agent", "before")
LONGEST = 300
"""Characters of a turn that are looked at, its last ones: the moment is now."""
SILENCES_S = (3, 5, 8)
"""Lengths of silence that are told apart, seconds."""
_BY_SOUND = 4
"""Signal words of so many characters are found by their sound too; shorter ones have too many
homophones."""


@dataclass(frozen=True, eq=False)
class Turn:
    """What one side said without a break, or its silence."""

    role: Role
    text: str
    vector: Vector | None = None
    silence_s: float = 0.0
    """Length of the silence where nothing was said."""

    @cached_property
    def written(self) -> Written:
        """Its last words, ready to be compared."""
        return read(self.text[-LONGEST:])

    @cached_property
    def every(self) -> frozenset[str]:
        """All its grams."""
        return frozenset(gram for gram, _, _ in grams(self.written))

    @cached_property
    def short(self) -> frozenset[str]:
        """Its twos and threes, marked with its side: enough for what came before."""
        side = self.role[0]
        return frozenset(
            side + gram
            for gram in self.every
            if (gram[0] == "c" and 3 <= len(gram) <= 4) or (gram[0] == "s" and gram.count(" ") < 3)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at a moment."""

    grams: Mapping[str, frozenset[str]]
    vectors: Mapping[str, Vector | None]


Signals = Callable[[Turn], Iterable[str]]
"""The situations for which a turn holds a signal word."""


def look(turns: Sequence[Turn], signals: Signals) -> Look:
    """What there is to see: the last turn is the moment, those before it lead there."""
    last, before = turns[-1], turns[-2] if len(turns) > 1 else None
    signs = {f"signal {situation}" for situation in signals(last)}
    signs |= {f"last {last.role}", f"before {before.role if before else 'nobody'}"}
    if not last.written.plain:
        signs |= _silence(turns)
    nothing: frozenset[str] = frozenset()
    return Look(
        grams={
            "caller": last.every if last.role == "caller" else nothing,
            "agent": last.every if last.role == "agent" else nothing,
            "before": before.short if before else nothing,
            "signs": frozenset(signs),
        },
        vectors={
            "caller": last.vector if last.role == "caller" else None,
            "agent": last.vector if last.role == "agent" else None,
            "before": before.vector if before else None,
        },
    )


def _silence(turns: Sequence[Turn]) -> set[str]:
    last = turns[-1]
    longer = {f"silence {last.role} {s}" for s in SILENCES_S if last.silence_s >= s}
    spoken = any(turn.role == "caller" and turn.written.plain for turn in turns)
    never = () if spoken else ("never spoken", *(f"never spoken, {one}" for one in longer))
    alone = ("silence alone",) if len(turns) == 1 else ()
    return {f"silence {last.role}", *longer, *never, *alone}


class SignalWords:
    """The signal words of a table, ready to be looked for."""

    def __init__(self, situations: Iterable[Situation]) -> None:
        self._words: dict[Role, list[tuple[str, str, str]]] = {"caller": [], "agent": []}
        for one in situations:
            for role, words in one.signals.items():
                for written in map(read, words):
                    sounds = _sounds(written) if len(written.plain) >= _BY_SOUND else ""
                    self._words[role].append((one.id, written.plain, sounds))

    def __call__(self, turn: Turn) -> set[str]:
        """The situations for which the turn holds a word."""
        plain, sounds = turn.written.plain, _sounds(turn.written)
        return {
            situation
            for situation, word, sound in self._words[turn.role]
            if word in plain or (sound and sound in sounds)
        }


def _sounds(text: Written) -> str:
    return "".join(f" {blurred(syllable)} " for syllable in text.sounds)
