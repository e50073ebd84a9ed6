"""The hard facts of an answer: figures with their units, telephones, days, places. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TEN = {"十": 10, "百": 100, "千": 1000}
_NUMBER = r"(?:\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百千]+)"
_UNITS = (
    "个工作日|工作日|个自然日|个月|万元|元|周岁|岁|天|日|小时|分钟|年|周|倍|份|张|次|寸|人|%|"
    "个百分点"
)
_FIGURE = re.compile(rf"(?P<n>{_NUMBER})\s*(?P<unit>{_UNITS})")
_PHONE = re.compile(r"(?<!\d)(?:0\d{2,3}[- ]?\d{3,4}[- ]?\d{4}|1[3-9]\d{9}|1\d{4}(?!\d))(?!\d)")
_DATE = re.compile(
    r"(?:(\d{4})年)?(\d{1,2})月(?:(\d{1,2})[日号])?|(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
)
_TIME = re.compile(r"(?<!\d)(\d{1,2})[:：](\d{2})(?!\d)")
_WEEK = re.compile(r"(?:周|星期)([一二三四五六日天])")
_FLOOR = re.compile(rf"(?P<n>{_NUMBER})(?P<unit>楼|层|号窗口|号厅|号楼)")
_STREET = re.compile(r"[\u4e00-\u9fff]{2}(?:路|街|大道|巷)\s*(\d+)\s*号")
NAMES = {
    "phone": "电话",
    "date": "日期",
    "time": "时间",
    "week": "星期",
    "place": "地点",
}
"""What kinds of facts are called for editors; figures go by their unit."""


@lru_cache(maxsize=8192)
def facts(text: str) -> Mapping[str, frozenset[str]]:
    """Kind → the facts of that kind. A kind is a unit (元, 个工作日 …) or a key of `NAMES`."""
    text = unicodedata.normalize("NFKC", text)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for match in _PHONE.finditer(text):
        found["phone"].add(re.sub(r"\D", "", match[0]))
    text = _PHONE.sub(" ", text)
    for match in _DATE.finditer(text):
        found["date"].add("-".join(str(int(part)) for part in match.groups() if part))
    text = _DATE.sub(" ", text)
    for match in _TIME.finditer(text):
        found["time"].add(f"{int(match[1])}:{match[2]}")
    for match in _WEEK.finditer(text):
        found["week"].add(match[1].replace("天", "日"))
    for match in _STREET.finditer(text):
        found["place"].add(re.sub(r"\s", "", match[0]))
    for match in _FLOOR.finditer(text):
        found["place"].add(f"{number(match['n'])}{match['unit'].replace('层', '楼')}")
    for match in _FIGURE.finditer(text):
        unit = match["unit"].removeprefix("个")
        found[unit].add(number(match["n"]))
    return {kind: frozenset(values) for kind, values in found.items()}


def number(said: str) -> str:
    """A number as digits: 十五 and 15 give `15`."""
    if said[0].isdigit():
        return f"{float(said):g}" if "." in said else str(int(said))
    whole = last = 0
    for character in said:
        if character in _TEN:
            whole += (last or 1) * _TEN[character]
            last = 0
        else:
            last = _DIGIT[character]
    return str(whole + last)


def differing(one: str, other: str) -> str:
    """What two answers say differently of the same kind of fact, in words for editors; empty where
    nothing. One that only says more contradicts nothing."""
    mine, theirs = facts(one), facts(other)
    said = []
    for kind in sorted(mine.keys() & theirs.keys()):
        ours, others = mine[kind] - theirs[kind], theirs[kind] - mine[kind]
        if ours and others:
            name = NAMES.get(kind)
            left, right = ("、".join(sorted(values)[:3]) for values in (ours, others))
            said.append(f"{name} {left} ≠ {right}" if name else f"{left}{kind} ≠ {right}{kind}")
    return "；".join(said[:4])
