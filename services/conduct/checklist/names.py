"""Names of callers: when one is told, and when somebody is addressed by it. By sound, since a
recogniser writes a name as it likes (林, 临, 琳)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from services.common.sound import syllables
from services.common.written import PARTICLES, Written
from services.conduct.phrases.sound import distance

Title = tuple[str, ...]
"""Syllables of 先生, 女士 …"""
ALIKE = 0.3
"""Syllables at most that far apart may be the same name."""
_SURNAME = re.compile(r"(?:(?<=[我贵人是叫])|^)姓(?![名氏什啥是甚])(?P<name>\w)")
"""我姓林, 免贵姓林, 姓林; not 老板姓赵. Looked for in each clause."""
_CALLED = re.compile(r"(?:我|名字|名|本人)(?:就)?叫(?:做)?(?P<name>\w)\w")
_ANSWER = re.compile(r"^(?:哦|嗯|恩|啊|呃|我|是|叫|免贵|名字|就){0,4}(?P<name>\w)\w{0,2}$")
"""What answers 请问您贵姓 in a word: 林, 我叫林小明."""
_NO_NAME = frozenset("好对不没有是嗯喂谢行可再什怎为你这那我他在能要想说讲问等")
_NOT_BEFORE_TITLE = frozenset("位个名的这那好你是问请各和跟们有叫说找当")


def told(text: Written, asked: bool) -> str | None:
    """The syllable of the surname a caller tells; None where there is none. `asked`: the agent has
    just asked for it, so that a bare name is one."""
    edges = sorted(text.breaks)
    clauses = [text.plain[begin:end] for begin, end in pairwise(edges)]
    surnames = (_SURNAME.search(clause) for clause in clauses)
    found = next(filter(None, surnames), None) or _CALLED.search(text.plain)
    if found is None and asked:
        found = _ANSWER.match("".join(c for c in text.plain if c not in PARTICLES))
    if found is None or found["name"] in _NO_NAME:
        return None
    return syllables(found["name"])[0]


def addressed(text: Written, titles: Iterable[Title], surname: str | None) -> bool:
    """Whether the caller is addressed by name: a title behind the surname that was heard, or,
    where none was, behind anything that may be one."""
    return any(
        surname is None or distance(before, surname) <= ALIKE
        for before in _before_titles(text, titles)
    )


def _before_titles(text: Written, titles: Iterable[Title]) -> Iterator[str]:
    """The syllables that stand directly before a title, and those one farther: 欧阳先生."""
    for sounds in titles:
        for at in range(1, len(text.plain) - len(sounds) + 1):
            if text.sounds[at : at + len(sounds)] != sounds or at in text.breaks:
                continue
            if text.plain[at - 1] in _NOT_BEFORE_TITLE:
                continue
            yield text.sounds[at - 1]
            if at >= 2 and at - 1 not in text.breaks:
                yield text.sounds[at - 2]
