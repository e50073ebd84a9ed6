"""Why words that sound like a forbidden phrase may be none: quoted, denied, part of another one."""

from __future__ import annotations

import re

from services.common.written import Written, read
from services.conduct.phrases.align import Match
from services.conduct.phrases.rulebook import PhraseFile, Rule

BEFORE = 6
"""How many characters before a phrase its `not_before` words are looked for."""
BREAK = "，"
_NOBODY = (
    "要再先别来听不没多少话么又就还都跟给和对好里在会能可以想已经刚才来去样的了得是早白必直瞎乱难"
)
"""Characters that, before 说, are not the end of whoever says it."""
_OPENING_QUOTES, _CLOSING_QUOTES = "“‘「『《", "”’」』》"


class Guards:
    """The words of the rule file that make a phrase harmless, ready to be looked for."""

    def __init__(self, file: PhraseFile) -> None:
        q = file.quotations
        # 说了, 说过 and 说的 tell that something was said, not what; 说的是 and 说了句 tell what.
        said = "(?![过完问一下清]|的(?!话?是)|了(?![一两]?句))"
        introducing = _any((*q.verbs, *q.calls, *q.reports))
        verbs = f"(?<![没不未问])(?:{introducing}){said}"
        spoke, shouted = _any(q.verbs), _any(q.reports)
        others, earlier, titles = _any(q.others), _any(q.earlier), _any(q.titles)
        restating, after = _any(q.restating), _any(q.afterwards)
        # From the verb to the phrase: its object, and a breath before the phrase itself.
        breath = f"[^{BREAK}]{{0,4}}"
        short = f"{BREAK}?[^{BREAK}请]{{0,2}}$"
        near = f"[^{BREAK}]{{0,14}}{short}"
        self._quoting = re.compile(
            "|".join(
                (
                    # 窗口…说, 银行的人讲
                    f"(?:{others})[^{BREAK}我]{{0,6}}{verbs}{near}",
                    # 您刚才说, 您的意思是
                    f"你{breath}(?:{earlier}){breath}{verbs}{near}",
                    f"(?:{earlier})[^{BREAK}]{{0,2}}你{breath}{verbs}{near}",
                    f"你{breath}(?:{restating}){near}",
                    # 您说物业让您…, 您讲他回了句…: somebody says that somebody said
                    f"你[^{BREAK}]{{0,8}}{verbs}[^{BREAK}我]{{1,10}}{verbs}{breath}{short}",
                    # 门卫说, 护士骂了句: whoever it was, it was not the agent
                    f"[^{BREAK}我你]{{2}}(?<![{_NOBODY}])(?:[跟对和向]你)?(?:{spoke})你?{short}",
                    f"[^{BREAK}我你]{{2,8}}(?:{shouted})[了你他]{{0,2}}[一两]?句?{BREAK}?$",
                    # 跟您讲的是
                    f"(?<!我)[跟对和向]你(?:{spoke})的话?是{short}",
                    # 对方说了什么事呀
                    f"(?:{others}).{{0,10}}(?:{introducing})了$",
                    # 原话是, 短信上写着
                    f"(?:{titles})[^{BREAK}]{{0,8}}{short}",
                )
            )
        )
        self._told = re.compile(f"(?<!我){breath}(?:{introducing}){near}")
        self._afterwards = re.compile(f"(?:[^{BREAK}]{{0,3}}{BREAK})?{breath}(?:{after})")
        self._remark = re.compile(f"[^{BREAK}]{{0,1}}{BREAK}?(?:{_any(q.remarks)})")
        self._you_said = re.compile(f"你{breath}{verbs}{near}")
        self._check = re.compile(f"(?:{_any(q.checks)})")
        # 您是不是… and 能不能… ask, they deny nothing; 不能代办，明白了吗 denies what is before.
        flat = f"(?<![是能会想敢可有还])(?:{_any(file.denials)})"
        unwilling = f"(?<![是能会想敢可])(?:{_any(file.unwilling)})"
        held = f"(?:{_any((*q.verbs, *file.opinions))})"
        self._denied = re.compile(
            f"{flat}[^{BREAK}请]{{0,3}}$|{unwilling}[^{BREAK}请]{{0,1}}$"
            f"|(?:{flat}|{unwilling})[^{BREAK}]{{0,8}}{held}[^{BREAK}]{{0,4}}$"
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
        if self._quoting.search(before) or self._remark.match(after):
            return True
        if self._you_said.search(before) and self._check.search(after):
            return True
        return bool(self._told.search(before) and self._afterwards.match(after))

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
