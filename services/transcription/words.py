"""From a recogniser's raw text to words fit to read: script, spaces, invented lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import opencc

_HAN = r"\u4e00-\u9fff"
_GAP = re.compile(rf"(?<=[{_HAN}，。？！；：、])\s+|\s+(?=[{_HAN}，。？！；：、])")
_UNKNOWN = re.compile(r"\[unk\]|<unk>", re.IGNORECASE)
_WIDE = str.maketrans(",?!;:", "，？！；：")
_NARROW = re.compile(rf"(?<=[{_HAN}])[,?!;:]|[,?!;:](?=\s*[{_HAN}])")
_WORDLESS = re.compile(r"[\W_]+")


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def tidy(raw: str) -> str:
    """Simplified Chinese, without spaces between characters, with Chinese punctuation.

    Digits and Latin letters stay as they were heard.
    """
    text = _UNKNOWN.sub("", raw).strip()
    text = _simplifier().convert(text)
    text = _NARROW.sub(lambda found: found.group().translate(_WIDE), text)
    text = _GAP.sub("", text)
    return text if _WORDLESS.sub("", text) else ""


class Inventions:
    """Lines a recogniser makes up where there is only noise.

    `whole`: an utterance of just these words; `containing`: any utterance that holds them.
    """

    def __init__(self, whole: Iterable[str] = (), containing: Iterable[str] = ()) -> None:
        self._whole = frozenset(map(_bare, whole))
        self._containing = tuple(map(_bare, containing))

    def __contains__(self, text: str) -> bool:
        bare = _bare(text)
        return bare in self._whole or any(line in bare for line in self._containing)


def _bare(text: str) -> str:
    return _WORDLESS.sub("", text).lower()
