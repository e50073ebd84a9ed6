"""The dashboard asks for what the services export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.exported import DEPLOY, Exported, exported, target_labels
from tests.unit.deploy.known_names import trouble

pytestmark = pytest.mark.unit

AGREED = {
    "banxi_calls_live",
    "banxi_utterances_total",
    "banxi_warnings_total",
    "banxi_cards_shown_total",
    "banxi_cards_used_total",
    "banxi_final_delay_seconds_bucket",
    "banxi_card_delay_seconds_bucket",
    "banxi_consumer_lag",
    "banxi_dead_letters_total",
    "banxi_queue_depth",
    "banxi_dropped_total",
    "banxi_requests_total",
    "banxi_request_seconds_bucket",
    "banxi_partitions",
    "banxi_ready",
}
"""What an operator is promised to see."""


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((DEPLOY / "grafana" / "banxi.json").read_text("utf-8"))
    return read


def expressions(dashboard: dict[str, Any]) -> dict[str, str]:
    """Expression → title of its panel."""
    return {
        target["expr"]: panel["title"]
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    }


def test_every_expression_asks_for_what_is_exported(
    dashboard: dict[str, Any], names: Exported
) -> None:
    labels = target_labels()
    wrong = {
        title: trouble(asked, names, labels) for asked, title in expressions(dashboard).items()
    }
    assert {title: said for title, said in wrong.items() if said} == {}


def test_what_was_agreed_is_exported_and_shown(dashboard: dict[str, Any], names: Exported) -> None:
    assert AGREED - names.keys() == set()
    asked = " ".join(expressions(dashboard))
    assert {name for name in AGREED if name not in asked} == set()


def test_labels_come_from_closed_sets(tmp_path: Path, names: Exported) -> None:
    """Built twice, the time series are the same: none is made of what happens."""
    assert exported(tmp_path) == names
    assert names["banxi_utterances_total"] == {"role": {"agent", "caller"}}
    queues = {"frames", "finals", "partials", "texts", "matters_texts", "writes", "later_work"}
    assert names["banxi_queue_depth"] == {"queue": queues | {"page_messages"}}


def test_panels_stand_beside_each_other_and_say_what_they_show(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("sum(banxi_calls_lives)", "no service exports banxi_calls_lives"),
        ('banxi_ready{servic="media"}', "no label servic"),
        ('banxi_ready{service="call_type"}', "no service=call_type"),
        ('banxi_partitions{state="lost"}', "no state=lost"),
        ("sum by (rule) (rate(banxi_warnings_total[5m]))", "no label rule"),
        ("sum(banxi_warnings_total)", "without rate"),
        ("rate(banxi_calls_live[5m])", "within rate"),
        ("histogram_quantile(0.9, rate(banxi_card_delay_seconds_bucket[5m]))", "without le"),
        ("sum(banxi_ready", "stays open"),
        ("sun(banxi_ready)", "unknown function sun"),
        ("rate(banxi_warnings_total[5 minutes])", "no range of time"),
    ],
)
def test_what_is_wrong_is_found(expression: str, said: str, names: Exported) -> None:
    assert said in trouble(expression, names, target_labels())
