"""How Chinese text sounds to a recogniser: syllables without tones, and what a telephone blurs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pypinyin import Style, lazy_pinyin

_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_FINALS = ("ang", "eng", "ing")


def syllables(text: str) -> tuple[str, ...]:
    """The toneless syllable of each character, chosen by its neighbours (pypinyin); a character
    without one stands for itself."""
    return tuple(lazy_pinyin(text, errors=_one_by_one))


def tones(text: str) -> tuple[str, ...]:
    """The tone of each character, `1` to `5`; empty where it has none."""
    read = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors=_one_by_one)
    return tuple(one[-1] if len(one) > 1 and one[-1] in "12345" else "" for one in read)


@lru_cache(maxsize=4096)
def blurred(syllable: str) -> str:
    """What syllables share that an 8 kHz line and southern accents do not tell apart: zh/z, ch/c,
    sh/s and n/l at the beginning, -ng/-n at the end. `zheng` and `zen` → `zen`."""
    for clear, same in _INITIALS:
        if syllable.startswith(clear):
            syllable = same + syllable[len(clear) :]
            break
    return syllable[:-1] if syllable.endswith(_FINALS) else syllable


def _one_by_one(unread: str) -> Any:
    # pypinyin takes a list here, though its types say text.
    return list(unread)
