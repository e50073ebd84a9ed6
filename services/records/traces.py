"""Searching the bytes of files for many texts at once: proof that nothing of them remains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SHORTEST = 8
"""Length of a text at least, bytes: its last eight are compared as one number."""
BLOCK = 8 * 2**20


def traces(files: Iterable[Path], texts: Iterable[str]) -> set[str]:
    """Which of these texts stand in the bytes of any of the files that exist."""
    wanted: dict[bytes, list[bytes]] = {}
    for text in texts:
        wanted.setdefault(text.encode()[-SHORTEST:], []).append(text.encode())
    if not wanted:
        return set()
    longest = max(len(text) for same_end in wanted.values() for text in same_end)
    ends = np.array([int.from_bytes(end, "little") for end in wanted], dtype="<u8")
    # Two bytes of each end rule out nearly every place before the exact comparison.
    hint = np.zeros(2**16, dtype=bool)
    hint[ends & 0xFFFF] = True
    found: set[str] = set()
    for file in files:
        for block in _blocks(file, overlap=longest - 1):
            for place in _places(block, ends, hint):
                end = place + SHORTEST
                found.update(
                    text.decode()
                    for text in wanted[block[place:end]]
                    if block[max(0, end - len(text)) : end] == text
                )
    return found


def _blocks(file: Path, overlap: int) -> Iterator[bytes]:
    if not file.exists():
        return
    carried = b""
    with file.open("rb") as opened:
        while read := opened.read(BLOCK):
            block = carried + read
            yield block
            carried = block[-overlap:]


def _places(block: bytes, ends: np.ndarray[Any, Any], hint: np.ndarray[Any, Any]) -> Iterator[int]:
    """Where in a block any of the ends stands."""
    for offset in range(SHORTEST):
        whole = (len(block) - offset) // SHORTEST
        if whole > 0:
            words = np.frombuffer(block, dtype="<u8", count=whole, offset=offset)
            likely = np.nonzero(hint[words & 0xFFFF])[0]
            exact = likely[np.isin(words[likely], ends)]
            yield from (exact * SHORTEST + offset).tolist()
