"""What of a text a linear head looks at beside its vector: short runs of characters and of
sounds. Sounds make it deaf to homophones, runs with a gap to an inserted word."""

from __future__ import annotations

from collections.abc import Iterator

from services.common.sound import blurred
from services.common.written import Written

CHARACTERS = (1, 2, 3, 4)
SOUNDS = (2, 3, 4)
GAPS = (2, 3)
_EDGE = "^"


def grams(text: Written, start: int = 0, end: int | None = None) -> Iterator[tuple[str, int, int]]:
    """Each gram of `plain[start:end]` with the stretch of `plain` it stands on. `c…` is a run of
    characters, `s…` one of sounds, `k…` a pair with a gap; `^` is an edge of what is looked at."""
    plain = text.plain[start:end]
    size = len(plain)
    if not size:
        return
    edged = f"{_EDGE}{plain}{_EDGE}"
    stop = start + size
    for length in CHARACTERS:
        for at in range(len(edged) - length + 1):
            begin = start + at - 1
            yield "c" + edged[at : at + length], max(begin, start), min(begin + length, stop)
    sounds = [_EDGE, *map(blurred, text.sounds[start:stop]), _EDGE]
    for length in SOUNDS:
        for at in range(len(sounds) - length + 1):
            begin = start + at - 1
            run = " ".join(sounds[at : at + length])
            yield "s" + run, max(begin, start), min(begin + length, stop)
    for gap in GAPS:
        for at in range(size - gap):
            yield f"k{plain[at]}{gap}{plain[at + gap]}", start + at, start + at + gap + 1
