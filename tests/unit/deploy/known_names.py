"""Whether a PromQL expression asks for what the services export, in a way that makes sense."""

from __future__ import annotations

from tests.unit.deploy.exported import Exported
from tests.unit.deploy.promql import OF_A_RANGE, NotPromQL, Selector, read
from tools.system import SERVICES

COUNTED = ("_total", "_bucket", "_count", "_sum")
WHERE = {"service": {name.replace("_", "-") for name in SERVICES}, "job": {"banxi"}}
"""Values of the labels that come from the scrape job, as far as they are known."""


def trouble(expression: str, exported: Exported, target_labels: set[str]) -> str:
    """What is wrong with an expression, in words; empty where nothing is."""
    try:
        found = read(expression)
    except NotPromQL as error:
        return str(error)
    known = set(target_labels)
    for selector in found.selectors:
        if selector.name not in exported and selector.name != "up":
            return f"no service exports {selector.name}"
        own = exported.get(selector.name, {})
        known |= own.keys()
        if said := _matched(selector, own, target_labels) or _counted(selector):
            return said
    if missing := found.grouped - known:
        return f"no label {', '.join(sorted(missing))}"
    if any(s.name.endswith("_bucket") for s in found.selectors) and "le" not in found.grouped:
        return "a histogram without le"
    return ""


def _matched(selector: Selector, own: dict[str, set[str]], target_labels: set[str]) -> str:
    for label, sign, value in selector.matchers:
        if label not in own and label not in target_labels:
            return f"{selector.name} has no label {label}"
        values = own.get(label) or WHERE.get(label)
        # Of regular expressions only alternatives are read here.
        for one in value.split("|") if sign in ("=~", "!~") else [value]:
            if values and one not in values | {"other"}:
                return f"{selector.name} has no {label}={one}"
    return ""


def _counted(selector: Selector) -> str:
    """Counters are asked for over a range of time, levels are not."""
    counted = selector.name.endswith(COUNTED)
    if counted != (selector.over and selector.within in OF_A_RANGE):
        return f"{selector.name} {'without' if counted else 'within'} rate or increase"
    return ""
