"""How far apart two Mandarin syllables sound over a telephone, tones left out.

0 = alike for a recogniser's ear, 1 = nothing in common. The pairs below are those that southern
accents and an 8 kHz line blur: they cost little, other differences of an initial or a final half.
"""

from __future__ import annotations

from functools import lru_cache

_INITIALS = (
    "zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h",
    "j", "q", "x", "r", "z", "c", "s", "y", "w",
)  # fmt: skip
_HALF = 0.5
_INITIAL_COST = {
    frozenset(pair.split("/")): cost
    for cost, pairs in (
        (0.05, "zh/z ch/c sh/s n/l"),
        (0.15, "f/h r/l"),
        (0.2, "b/p d/t g/k j/q z/c zh/ch zh/c z/ch r/n y/r m/n w/m"),
        (0.3, "j/zh q/ch x/sh j/x q/x s/c sh/ch s/z g/h k/h w/h y/j l/d"),
        (0.35, "z/sh zh/s c/sh ch/s j/z q/c x/s"),
        (0.4, "m/l"),
    )
    for pair in pairs.split()
}
_FINAL_COST = {
    frozenset(pair.split("/")): cost
    for cost, pairs in (
        (0.05, "ang/an eng/en ing/in iang/ian uang/uan uo/o ong/eng"),
        (0.15, "ian/an ia/a ua/a uan/an iao/ao ui/ei un/en iong/ong uai/ai ie/e ue/ie v/u v/i"),
        (0.25, "uo/e o/e ou/uo ou/u ai/ei ai/ie en/ei ing/i in/i an/ai ao/a iu/u uo/u en/e"),
        (0.3, "i/e a/e"),
    )
    for pair in pairs.split()
}
_AFTER_F = {"ua": "a", "uan": "an", "uang": "ang", "ui": "ei", "un": "en", "ong": "eng"}


@lru_cache(maxsize=65536)
def distance(one: str, other: str) -> float:
    """Distance of two syllables, 0–1."""
    if one == other:
        return 0.0
    (initial, final), (initial2, final2) = _split(one), _split(other)
    # Where f and h are one, it is f and hu: 烦 is heard as 环, 饭 as 换.
    if initial == "f" and initial2 == "h":
        final2 = _AFTER_F.get(final2, final2)
    elif initial == "h" and initial2 == "f":
        final = _AFTER_F.get(final, final)
    apart = _cost(initial, initial2, _INITIAL_COST) + _cost(final, final2, _FINAL_COST)
    return min(apart, 1.0)


def _split(syllable: str) -> tuple[str, str]:
    for initial in _INITIALS:
        if syllable.startswith(initial):
            # 波 is written bo and spoken buo.
            final = syllable[len(initial) :]
            return initial, "uo" if final == "o" else final
    return "", syllable


def _cost(one: str, other: str, near: dict[frozenset[str], float]) -> float:
    if one == other:
        return 0.0
    return near.get(frozenset((one, other)), _HALF)
