"""What a caller says against the card that stands: “我问的不是这个”, “不是补办，是挂失”. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.knowledge.finding.wording import content, fold

_REFUSED = re.compile(
    r"(?:我)?(?:要)?(?:问|说|讲|指|想问|想说|要问|要办|想办|要查)的?(?:并|根本|又|都)?不是(?:这个|这件|这事|这些|你说的|那个)(?:事情?|问题|意思)?"
    r"|不是(?:这个|这件|这|那个)(?:事情?|问题|意思)(?!不)"
    r"|(?:我)?不是(?:在|想|要)?问(?:你|您)?(?:这个|这事|这些|那个)"
    r"|(?:你|您)(?:理解|听|搞|弄|说)错了|(?:你|您)没(?:听|搞)(?:懂|明白|清楚)我"
)
_KINDS = (
    re.compile(
        r"(?<![是要还])不是(?P<was>[^，,。；;？?！!是]{1,12}?)(?P<gap>[，,、。；; ]*)"
        r"(?:而是|我?(?:要|想)?(?:说|问|办)的是|应该是|是)(?P<now>[^，,。；;？?！!]{1,16})"
    ),
    re.compile(
        r"(?<![不要还可就但只若])是(?P<now>[^，,。；;？?！!是]{1,16}?)[，,、 ]*(?:而)?不是"
        r"(?P<was>[^，,。；;？?！!是]{1,12})"
    ),
)
_COURTESY = re.compile(r"^(?:我)?(?:要|想)?(?:说|问|办)?(?:的)?|(?:啊|呀|呢|吧|嘛|的|了|哦|哈)+$")


@dataclass(frozen=True, slots=True)
class Correction:
    """A caller put one thing in the place of another."""

    was: str
    """What is not meant."""
    now: str
    """What is."""


@dataclass(frozen=True, slots=True)
class Against:
    """What an utterance holds against the card that stands."""

    rest: str
    """The utterance without the words that only refuse: what is asked instead."""
    before: tuple[str, ...]
    """What was said before, as it was meant."""


def against(text: str, before: Sequence[str], about: str) -> Against | None:
    """What `text` holds against a card `about` something (its title and the words that asked);
    None where nothing. `before`: what was said before it."""
    if correction := corrected(text):
        was, now = fold(correction.was), fold(correction.now)
        if was not in fold(about) or now in fold(about):
            return None
        meant = tuple(said.replace(correction.was, correction.now) for said in before)
        return Against(correction.now, meant)
    if match := _REFUSED.search(text):
        return Against((text[: match.start()] + text[match.end() :]).strip("，,。 "), ())
    return None


def corrected(text: str) -> Correction | None:
    """The correction an utterance makes, whatever card stands."""
    for kind in _KINDS:
        for match in kind.finditer(text):
            was, now = _bare(match["was"]), _bare(match["now"])
            if min(len(content(was)), len(content(now))) >= 2 and was != now:
                return Correction(was, now)
    return None


def _bare(text: str) -> str:
    return _COURTESY.sub("", _COURTESY.sub("", text.strip()))
