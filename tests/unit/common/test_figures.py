"""Figures: closed sets of labels, and one source for Prometheus and for people."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.base import ROLES
from services.common.figures import OTHER, Figures, quantile

pytestmark = pytest.mark.unit


def series(figures: Figures) -> int:
    text = figures.exposition().decode()
    return sum(len(family.samples) for family in text_string_to_metric_families(text))


def test_a_value_outside_its_set_is_other_however_many_come() -> None:
    figures = Figures("conduct")
    heard = figures.counter("banxi_utterances_total", "finals heard", role=ROLES)
    heard.at(role="agent").inc()
    heard.at(role="call-1").inc()
    before = series(figures)
    for number in range(1000):
        heard.at(role=f"call-{number}").inc()
    assert series(figures) == before
    now = figures.now()
    assert (now["utterances{agent}"], now["utterances{caller}"]) == (1, 0)
    assert now[f"utterances{{{OTHER}}}"] == 1001


def test_what_is_kept_elsewhere_is_read_when_somebody_looks() -> None:
    figures = Figures("conduct")
    waiting = {"partials": 0, "none of the set": 7}
    figures.read("banxi_queue_depth", "waiting", lambda: waiting, queue=("partials", "finals"))
    figures.read("banxi_dropped_total", "dropped", lambda: 3)
    figures.read_all(lambda: {"words_only": 2})
    waiting["partials"] = 5
    ours = {
        "queue_depth{partials}": 5,
        "queue_depth{finals}": 0,
        "dropped": 3,
        "words_only": 2,
    }
    assert figures.now() == ours
    text = figures.exposition().decode()
    assert 'banxi_queue_depth{queue="partials"} 5.0' in text
    assert "# TYPE banxi_dropped_total counter" in text
    assert "banxi_conduct_words_only 2.0" in text
    assert "process_resident_memory_bytes" in text


def test_times_are_told_by_their_median_and_95th_percentile() -> None:
    figures = Figures("transcription")
    delay = figures.histogram("banxi_final_delay_seconds", "end of speech to final", (1, 2, 4))
    assert "final_delay_seconds_p50" not in figures.now()
    for seconds in (0.5, 1.5, 1.5, 3.0):
        delay.at().observe(seconds)
    now = figures.now()
    assert (now["final_delay_seconds_p50"], now["final_delay_seconds_p95"]) == (1.5, 3.6)


def test_beyond_the_last_bound_nothing_more_is_known() -> None:
    assert quantile([(1, 0), (2, 0), (float("inf"), 4)], 50) == 2
