"""The alert rules ask for what the services export, and each has its page in the handbook."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from tests.unit.deploy.exported import DEPLOY, Exported, target_labels
from tests.unit.deploy.known_names import WHERE, trouble

pytestmark = pytest.mark.unit

HANDBOOK = DEPLOY.parent / "docs" / "operations.md"
FIELD = re.compile(r"\{\{\s*([^}|]+?)\s*(?:\|\s*\w+\s*)?\}\}")


class Annotations(BaseModel):
    model_config = ConfigDict(extra="forbid")

    summary: str = Field(max_length=120)
    runbook: str


class Rule(BaseModel):
    """An alert rule as Prometheus takes it."""

    model_config = ConfigDict(extra="forbid")

    alert: str = Field(pattern=r"^Banxi[A-Za-z]+$")
    expr: str
    waits: str = Field(default="0m", alias="for", pattern=r"^\d+[smh]$")
    labels: dict[str, str]
    annotations: Annotations


class Group(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    rules: list[Rule]


def rules() -> list[Rule]:
    """The rules, checked in form."""
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "alerts" / "banxi.yaml").read_text("utf-8"))
    assert read.keys() == {"groups"}
    return [rule for group in read["groups"] for rule in Group.model_validate(group).rules]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert)
def test_a_rule_asks_for_what_is_exported_and_says_what_it_found(
    rule: Rule, names: Exported
) -> None:
    assert trouble(rule.expr, names, target_labels()) == ""
    assert rule.labels.keys() == {"severity"}
    assert rule.labels["severity"] in ("critical", "warning", "info")
    kept = target_labels() | {label for own in names.values() for label in own}
    by = re.findall(r"by \(([^)]*)\)", rule.expr)
    if by:  # the others are gone
        kept = {label.strip() for each in by for label in each.split(",")}
    shown = {"$value"} | {f"$labels.{label}" for label in kept}
    assert set(FIELD.findall(rule.annotations.summary)) <= shown


def test_a_service_that_is_missing_is_missed() -> None:
    [missing] = [rule for rule in rules() if rule.alert == "BanxiServiceMissing"]
    assert set(re.findall(r'service="([^"]+)"', missing.expr)) == WHERE["service"]


def test_every_alert_stands_in_the_handbook_and_nothing_else() -> None:
    alerts = [rule.alert for rule in rules()]
    assert len(set(alerts)) == len(alerts)
    sections = re.split(r"^### (Banxi\w+)$", HANDBOOK.read_text("utf-8"), flags=re.MULTILINE)
    told = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert sorted(told) == sorted(alerts)
    for rule in rules():
        assert rule.annotations.runbook == f"docs/operations.md#{rule.alert.lower()}"
        assert "**Means.**" in told[rule.alert], rule.alert
        assert "**Do.**" in told[rule.alert], rule.alert
