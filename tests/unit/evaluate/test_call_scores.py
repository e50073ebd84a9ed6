"""Scoring recorded calls: what counts as found, missed, false, and what counts as neither."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.evaluate.call_scores import KINDS, Observed, Raised, Said, judge, normalise, quantile
from tools.evaluate.report import Report, show

pytestmark = pytest.mark.unit

SCRIPT = [{"role": "agent", "start": 1.0, "end": 4.0, "text": "您好，这怎么会。"}]
TRUTH: dict[str, Any] = {
    "label": "咨询",
    "script": SCRIPT,
    "events": [
        {"kind": "silence", "start": 10.0, "end": 20.0, "role": "both", "due": 18.0,
         "announced": False},
        {"kind": "silence", "start": 40.0, "end": 60.0, "role": "both", "due": 48.0,
         "announced": True},
        {"kind": "forbidden_phrase", "start": 1.0, "end": 3.0, "role": "agent", "due": 3.0},
    ],
    "near_misses": [{"kind": "forbidden_phrase", "start": 30.0, "end": 32.0}],
}  # fmt: skip


def alarm(kind: str, start: float, end: float, at: float) -> Raised:
    return Raised(kind, start, end, at)


def test_an_event_is_found_by_kind_and_overlap_and_its_delay_is_measured() -> None:
    seen = Observed(
        "c",
        [alarm("silence", 10.4, 18.4, 18.5), alarm("forbidden_phrase", 1.2, 2.9, 5.0)],
        type="咨询",
        transcript=[Said("agent", 1.0, 4.0, "你好这怎么会", 5.5)],
    )
    judged = judge([(seen, TRUTH)])
    assert judged.by_kind["silence"]["found"] == 1
    assert judged.by_kind["silence"]["latency_max"] == 0.5
    assert judged.by_kind["forbidden_phrase"]["latency_from_utterance_end_p95"] == 1.0
    assert judged.metrics["type_accuracy"] == 1.0
    assert judged.metrics["cer"] == 0.0
    assert judged.metrics["final_delay_p95"] == 1.5


def test_misses_false_alarms_and_near_misses_are_told_apart() -> None:
    seen = Observed("c", [alarm("forbidden_phrase", 31.0, 31.5, 33.0)])
    judged = judge([(seen, TRUTH)])
    phrase = judged.by_kind["forbidden_phrase"]
    assert (phrase["found"], phrase["missed"], phrase["false"]) == (0, 1, 1)
    assert phrase["near_miss_alarms"] == 1
    assert judged.by_kind["silence"]["missed"] == 1


def test_an_announced_silence_is_neither_found_nor_missed_nor_false() -> None:
    for events in ([], [alarm("silence", 40.0, 48.0, 48.5)]):
        silence = judge([(Observed("c", events), TRUTH)]).by_kind["silence"]
        assert (silence["found"], silence["missed"], silence["false"]) == (0, 1, 0)


def test_every_kind_stands_in_the_json_zeros_included(capsys: pytest.CaptureFixture[str]) -> None:
    judged = judge([(Observed("c"), TRUTH)])
    report = Report("calls", 1, judged.metrics, judged.by_kind, {"events": judged.by_kind})
    show(report, as_json=True)
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert set(metrics["events"]) == set(KINDS)
    assert metrics["events"]["missing_opening"]["found"] == 0
    assert "type_accuracy" in metrics


def test_text_is_compared_without_punctuation_and_digits_are_read_out() -> None:
    assert normalise("您好，12333！做得好") == normalise("你好一二三三三做的好")
    assert quantile([], 0.95) is None
