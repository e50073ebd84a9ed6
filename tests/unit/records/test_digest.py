from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.base import Producer
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.transcript import TranscriptFinal
from services.records.digest import MATTER_MAX, keep, meaning, shortened

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
        ("好的知道了谢谢你啊再见", ""),
        ("我知道了这个事情", "我知道了这个事情"),
        ("谢谢你们帮我把工资要回来", "谢谢你们帮我把工资要回来"),
        ("那退休以后的医保怎么算？", "那退休以后的医保怎么算"),
        ("喂？喂？听见吗", ""),
        ("", ""),
    ],
)
def test_the_matter_is_what_means_something(said: str, matter: str) -> None:
    assert meaning(said) == matter


def test_a_long_matter_is_shortened_and_says_so() -> None:
    whole = meaning("医保断缴以后" * 20)
    assert len(whole) == len(shortened(whole)) == MATTER_MAX
    assert shortened(whole).endswith("保断缴以…")
    assert shortened("医保断缴以后") == "医保断缴以后"


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
    firm = CallTypeAssessed(**CALL, by=by, type="求助", confidence=0.8)
    assert keep(firm, NOW).tells == {"call_type": "求助"}
    # A turn is kept as it is; the assessment that goes with it tells the call's type.
    turned = CallTypeTurned(**CALL, by=by, previous="求助", type="投诉", confidence=0.8)
    assert (keep(turned, NOW).event, keep(turned, NOW).tells) == ("call_type.turned", {})
    agent = TranscriptFinal(**CALL, by=by, role="agent", end_ms=1, text="您好，请讲话", heard="")
    assert keep(agent, NOW).tells == {}


def test_wall_times_are_kept_in_utc_and_unstamped_ones_as_received() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=8)))
    ended = CallEnded(**CALL, ended_by="caller", wall_time=east)
    assert keep(ended, NOW).tells == {"ended_at": "2026-01-05T12:00:00.000+00:00"}
    unstamped = CallEnded(**CALL, ended_by="caller")
    assert keep(unstamped, NOW).wall_time == "2026-01-05T12:00:00.000+00:00"
