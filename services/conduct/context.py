"""Why words that sound like a forbidden phrase may be none: quoted, denied, part of another one."""

from __future__ import annotations

import re

from services.conduct.align import Match
from services.conduct.rulebook import PhraseFile, Rule
from services.conduct.written import Written, read

BEFORE = 6
"""How many characters before a phrase its `not_before` words are looked for."""
BREAK = "，"
_OPENING_QUOTES, _CLOSING_QUOTES = "“‘「『《", "”’」』》"


class Guards:
    """The words of the rule file that make a phrase harmless, ready to be looked for."""

    def __init__(self, file: PhraseFile) -> None:
        quotations = file.quotations
        # 说了, 说过 and 说的 tell that something was said, not what.
        verbs = f"(?:{_any(quotations.verbs)})(?![的了过完])"
        others, earlier = _any(quotations.others), _any(quotations.earlier)
        restating = _any(quotations.restating)
        self._others_said = re.compile(f"(?:{others})[^{BREAK}]{{0,6}}{verbs}.{{0,14}}$")
        self._caller_said = re.compile(
            f"(?:(?:你[^{BREAK}]{{0,4}}(?:{earlier})|(?:{earlier})[^{BREAK}]{{0,2}}你)"
            f"[^{BREAK}]{{0,4}}{verbs}|你[^{BREAK}]{{0,4}}(?:{restating})).{{0,14}}$"
        )
        self._you_said = re.compile(f"你[^{BREAK}]{{0,4}}{verbs}.{{0,14}}$")
        self._check = re.compile(f"(?:{_any(quotations.checks)})")
        # 您是不是… asks, it denies nothing.
        denials = f"(?<!是)(?:{_any(file.denials)})"
        self._denied = re.compile(
            f"(?:{denials})[^{BREAK}]{{0,3}}$|(?:{denials})[^{BREAK}]{{0,8}}{verbs}$"
        )
        self._not_before = {r.id: _pattern(r.not_before) for r in file.rules if r.not_before}
        self._not_after = {r.id: _pattern(r.not_after) for r in file.rules if r.not_after}
        self._excused = {r.id: _pattern(r.excused_by) for r in file.rules if r.excused_by}

    def let_pass(self, rule: Rule, match: Match, text: Written) -> bool:
        """Whether the phrase really was said to the caller."""
        before, after = _around(text, match)
        return not (
            _in_quotes(text, match)
            or self._quoted(before, after)
            or self._denied.search(before)
            or self._harmless(rule, match, text, after)
        )

    def _quoted(self, before: str, after: str) -> bool:
        if self._others_said.search(before) or self._caller_said.search(before):
            return True
        return bool(self._you_said.search(before) and self._check.search(after))

    def _harmless(self, rule: Rule, match: Match, text: Written, after: str) -> bool:
        clause = text.clause_start(match.start)
        near = text.plain[max(clause, match.start - BEFORE) : match.start]
        if (pattern := self._not_before.get(rule.id)) and pattern.search(near):
            return True
        if (pattern := self._not_after.get(rule.id)) and pattern.match(after):
            return True
        pattern = self._excused.get(rule.id)
        return bool(pattern and pattern.search(after))


def _around(text: Written, match: Match) -> tuple[str, str]:
    """What stands before and after, with a comma where a clause begins."""

    def part(start: int, end: int) -> str:
        return "".join(
            (BREAK if i in text.breaks and i > start else "") + text.plain[i]
            for i in range(start, end)
        )

    size = len(text.plain)
    before = part(max(0, match.start - 40), match.start)
    if match.start in text.breaks and before:
        before += BREAK
    after = part(match.end, min(size, match.end + 60))
    return before, BREAK + after if match.end in text.breaks and after else after


def _in_quotes(text: Written, match: Match) -> bool:
    before = text.raw[: text.places[match.start]]
    after = text.raw[text.places[match.end - 1] + 1 :]
    opened = max(before.rfind(mark) for mark in _OPENING_QUOTES)
    closed = max(before.rfind(mark) for mark in _CLOSING_QUOTES)
    return opened > closed and any(mark in after for mark in _CLOSING_QUOTES)


def _any(words: tuple[str, ...]) -> str:
    # Longest first, so that 没有说 is not read as 没.
    plain = sorted({read(word).plain for word in words}, key=len, reverse=True)
    return "|".join(map(re.escape, plain)) or "(?!)"


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"(?:{_any(words)})")
