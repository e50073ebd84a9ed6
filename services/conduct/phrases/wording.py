"""How a wording is written in the rule files, and what it stands for.

不要[再|]啰嗦        one of the words between the brackets; an empty one may be left out
^什么呀$             ^ only where a clause begins, $ only where it ends (particles may follow)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from services.common.written import read

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


@dataclass(frozen=True)
class Wording:
    """One wording: places in order, with the words that may stand at each."""

    slots: tuple[tuple[Choice, ...], ...]
    begins: bool = False
    """Only where a clause begins."""
    ends: bool = False
    """Only where a clause ends."""


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
