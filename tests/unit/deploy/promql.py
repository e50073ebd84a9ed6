"""The names in a PromQL expression, and whether it can be one. Not a parser: the operators between
are not looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""\s+ | (?P<text>"[^"]*") | (?P<range>\[[^\]]*\]) | (?P<number>\d+(?:\.\d+)?[smhdw]?)
      | (?P<name>[A-Za-z_:][\w:]*) | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>])""",
    re.VERBOSE,
)
DURATION = re.compile(r"\[(?:\d+[smhdw]|\$__rate_interval)\]")
CLOSES = {")": "(", "}": "{"}
AGGREGATES = {"sum", "max", "min", "avg", "count", "topk"}
OF_A_RANGE = {"rate", "increase", "irate", "delta", "max_over_time", "avg_over_time"}
FUNCTIONS = {"histogram_quantile", "absent", "clamp_min", "clamp_max", "abs"} | OF_A_RANGE
BEFORE_LABELS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
BETWEEN = {"and", "or", "unless", "bool", "offset"}


class NotPromQL(ValueError):
    """What is wrong with an expression."""


@dataclass
class Selector:
    """A metric as it is asked for."""

    name: str
    matchers: list[tuple[str, str, str]] = field(default_factory=list)
    """Label, operator, value."""
    within: str = ""
    """The function right around it."""
    over: bool = False
    """Whether a range of time is asked for."""


@dataclass
class Expression:
    """The names in an expression."""

    selectors: list[Selector] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)
    """Labels after `by` and the like."""


def read(text: str) -> Expression:
    """Raises NotPromQL."""
    tokens = [*_tokens(text), ("end", "")]
    found = Expression()
    opened: list[tuple[str, str]] = []
    """Brackets that stand open, and the name before each."""
    place = 0
    while place < len(tokens) - 1:
        kind, token = tokens[place]
        after = tokens[place + 1][1]
        if kind == "name" and token in BEFORE_LABELS:
            place = _labels(tokens, place + 1, found.grouped)
            continue
        if kind == "name" and after == "(" and token not in BETWEEN:
            if token not in AGGREGATES | FUNCTIONS:
                raise NotPromQL(f"unknown function {token}")
        elif kind == "name" and token in AGGREGATES and after in BEFORE_LABELS:
            pass
        elif kind == "name" and token not in BETWEEN:
            selector = Selector(token, within=opened[-1][1] if opened else "")
            found.selectors.append(selector)
            if after == "{":
                place = _matchers(tokens, place + 1, selector.matchers) - 1
            if tokens[place + 1][0] == "range":
                selector.over = True
                place += 1
        elif kind == "range":
            raise NotPromQL(f"{token} follows no metric")
        elif token in "({" and kind == "sign":
            before = tokens[place - 1] if place else ("end", "")
            opened.append((token, before[1] if before[0] == "name" else ""))
        elif token in CLOSES and (not opened or opened.pop()[0] != CLOSES[token]):
            raise NotPromQL(f"{token} closes nothing")
        place += 1
    if opened:
        raise NotPromQL(f"{opened[-1][0]} stays open")
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise NotPromQL(f"cannot be read from {text[place : place + 20]!r} on")
        place = match.end()
        if match.lastgroup == "range" and not DURATION.fullmatch(match.group()):
            raise NotPromQL(f"{match.group()} is no range of time")
        if match.lastgroup:
            yield match.lastgroup, match.group()


def _labels(tokens: list[tuple[str, str]], place: int, found: set[str]) -> int:
    """`(a, b)`; returns the place behind."""
    if tokens[place][1] != "(":
        raise NotPromQL(f"no labels after {tokens[place - 1][1]}")
    while tokens[place][1] != ")":
        place += 1
        if tokens[place][0] == "name":
            found.add(tokens[place][1])
        elif tokens[place][1] not in (",", ")"):
            raise NotPromQL(f"{tokens[place][1]!r} among labels")
    return place + 1


def _matchers(tokens: list[tuple[str, str]], place: int, found: list[tuple[str, str, str]]) -> int:
    """`{a="1", b!="2"}`; returns the place behind."""
    while tokens[place][1] != "}":
        name, sign, text, end = (*tokens[place + 1 : place + 5], *[("end", "")] * 4)[:4]
        if name[0] != "name" or sign[1] not in ("=", "!=", "=~", "!~") or text[0] != "text":
            raise NotPromQL(f"no label matcher: {name[1]}{sign[1]}{text[1]}")
        if end[1] not in (",", "}"):
            raise NotPromQL(f"{end[1]!r} after a label matcher")
        found.append((name[1], sign[1], text[1].strip('"')))
        place += 4
    return place + 1
