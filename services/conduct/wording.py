"""How a wording is written in the rule files, and what it stands for.

不要[再|]啰嗦        one of the words between the brackets; an empty one may be left out
^什么呀$             ^ only where a clause begins, $ only where it ends (particles may follow)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from services.common.sound import blurred
from services.conduct.written import read

SHORTEST = 2
LONGEST = 40
_PIECE = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")


@dataclass(frozen=True)
class Choice:
    """One of the words that may stand at a place; empty where the place may be left out."""

    plain: str
    """Its characters, in the form texts are compared in."""

    @cached_property
    def sounds(self) -> tuple[str, ...]:
        """Its syllables."""
        return read(self.plain).sounds

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Its syllables as a bad line leaves them."""
        return tuple(blurred(sound) for sound in self.sounds)


@dataclass(frozen=True)
class Wording:
    """One wording: places in order, with the words that may stand at each."""

    slots: tuple[tuple[Choice, ...], ...]
    begins: bool = False
    """Only where a clause begins."""
    ends: bool = False
    """Only where a clause ends."""

    @cached_property
    def room(self) -> tuple[int, ...]:
        """For each place how many characters may follow behind it at most."""
        longest = [max(len(choice.plain) for choice in slot) for slot in self.slots]
        return tuple(sum(longest[index + 1 :]) for index in range(len(longest)))

    @cached_property
    def keys(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each place, for each of its words: which syllables (as bits), and how many."""
        return tuple(tuple((_bits(c.keys), len(set(c.keys))) for c in slot) for slot in self.slots)

    def may_be_in(self, heard: int) -> bool:
        """Whether most of its syllables are among `heard`; laying it along a text is dear."""
        missing = needed = 0
        for slot in self.keys:
            fewest, size = min([((keys & ~heard).bit_count(), size) for keys, size in slot])
            missing += fewest
            needed += size
        return missing * 3 <= needed


_BITS: dict[str, int] = {}
"""Syllables of wordings, each a bit of a number, since sets of them are compared by the thousand.
Only wordings add to it: what is heard may hold anything."""


def _bits(keys: Iterable[str]) -> int:
    number = 0
    for key in keys:
        number |= _BITS.setdefault(key, 1 << len(_BITS))
    return number


def heard_bits(keys: Iterable[str]) -> int:
    """The syllables of a text that stand in any wording whose `keys` were asked for."""
    number = 0
    for key in keys:
        number |= _BITS.get(key, 0)
    return number


def parse(written: str) -> Wording:
    """Read a wording. Raises ValueError with what is wrong with it."""
    body = written.strip()
    begins, ends = body.startswith("^"), body.endswith("$")
    body = body[begins : len(body) - ends]
    slots: list[tuple[Choice, ...]] = []
    at = 0
    for piece in _PIECE.finditer(body):
        if piece.start() != at:
            break
        at = piece.end()
        words = [piece.group(2)] if piece.group(1) is None else piece.group(1).split("|")
        if any(mark in word for mark in "|^$" for word in words):
            raise ValueError("| belongs between brackets, ^ at the beginning, $ at the end")
        plain = dict.fromkeys(read(word).plain for word in words)
        slots.append(tuple(Choice(word) for word in plain))
    if at != len(body):
        raise ValueError("brackets do not match: write [one|other], without brackets inside")
    if sum(min(len(choice.plain) for choice in slot) for slot in slots) < SHORTEST:
        raise ValueError(f"may shrink to less than {SHORTEST} characters")
    if sum(max(len(choice.plain) for choice in slot) for slot in slots) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    return Wording(tuple(slots), begins, ends)
