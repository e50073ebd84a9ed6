"""Recognition errors by sound, injected into text: what training and evaluation are hardened with.

A character is replaced by another that a recogniser on a telephone line may take for it: the same
syllable whatever the tone, and what an 8 kHz line blurs (`services.common.sound.blurred`). Common
characters are taken more often. The same text and seed give the same errors.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from functools import lru_cache

from services.common.sound import blurred, syllables

_DROPPED = 0.1
"""Share of the errors in which a character is lost rather than taken for another."""


def misheard(text: str, share: float, seed: int = 0) -> str:
    """`text` with about `share` of its Chinese characters misheard."""
    if not share:
        return text
    alike = _alike()
    digest = hashlib.sha256(f"{seed}\0{text}".encode()).digest()
    dice = random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - errors, not secrets
    said = []
    for character, syllable in zip(text, syllables(text), strict=True):
        others = [c for c in alike.get(blurred(syllable), "") if c != character]
        if not "\u4e00" <= character <= "\u9fff" or dice.random() >= share or not others:
            said.append(character)
        elif dice.random() >= _DROPPED:
            said.append(dice.choice(others))
    return "".join(said)


@lru_cache(maxsize=1)
def _alike() -> dict[str, str]:
    """Characters by what their syllable sounds like on the line."""
    sounds = defaultdict(list)
    for character in _common():
        sounds[blurred(syllables(character)[0])].append(character)
    return {sound: "".join(characters) for sound, characters in sounds.items()}


def _common() -> str:
    """The 3,755 characters of everyday writing: level 1 of GB 2312, its rows 16 to 55."""
    codes = (bytes((0xA0 + row, 0xA0 + cell)) for row in range(16, 56) for cell in range(1, 95))
    return "".join(code.decode("gb2312", "ignore") for code in codes)
