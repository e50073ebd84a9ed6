from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.base import Producer
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.transcript import TranscriptFinal
from services.records.digest import MATTER_MAX, keep, meaning

pytestmark = pytest.mark.unit

CALL = {"call_id": "c1", "site": "s1", "at_ms": 0}
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "matter"),
    [
        ("喂，你好，我想问一下，社保卡丢了怎么补", "社保卡丢了怎么补"),
        ("那个，我想咨询一下退休金的事", "退休金的事"),
        ("对方公司欠我三个月工资", "对方公司欠我三个月工资"),
        ("问题是我的卡被人拿了", "问题是我的卡被人拿了"),
        ("好的，谢谢", ""),
        ("喂？喂？听见吗", ""),
        ("", ""),
    ],
)
def test_the_matter_is_the_first_that_means_something(said: str, matter: str) -> None:
    assert meaning(said) == matter


def test_a_long_matter_is_shortened() -> None:
    assert len(meaning("医保断缴以后" * 20)) == MATTER_MAX


def test_what_events_tell_of_their_call() -> None:
    started = CallStarted(**CALL, agent_id="015", caller_number="139", wall_time=NOW)
    assert keep(started, NOW).tells == {
        "agent_id": "015",
        "caller_number": "139",
        "started_at": "2026-01-05T12:00:00.000+00:00",
    }
    by = Producer(name="r", version="1")
    unsure = CallTypeAssessed(**CALL, by=by, type=None, confidence=0)
    assert keep(unsure, NOW).tells == {}
    agent = TranscriptFinal(**CALL, by=by, role="agent", end_ms=1, text="您好，请讲话", heard="")
    assert keep(agent, NOW).tells == {}


def test_wall_times_are_kept_in_utc_and_unstamped_ones_as_received() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=8)))
    ended = CallEnded(**CALL, ended_by="caller", wall_time=east)
    assert keep(ended, NOW).tells == {"ended_at": "2026-01-05T12:00:00.000+00:00"}
    unstamped = CallEnded(**CALL, ended_by="caller")
    assert keep(unstamped, NOW).wall_time == "2026-01-05T12:00:00.000+00:00"
