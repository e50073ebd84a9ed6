"""What is asked of records, what is made of the answer, and that nothing stops without one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import cast

import nats.errors
import pytest
from pydantic import ValidationError

from contracts.call import CallStarted
from contracts.requests import AskHistory, PastCall, Problem
from contracts.requests import History as Reply
from services.call_type.history import NOTHING, AskingHistory, History
from services.common.asking import REST_S
from services.common.bus import Bus, RequestFailed

pytestmark = pytest.mark.unit

NUMBER = "13900001234"
NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)


def no_contract() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Reply.model_validate({"calls": 3})
    return caught.value


class ScriptedRecords:
    """Answers from the calls it holds, as records does; `trouble` is raised instead."""

    def __init__(self) -> None:
        self.calls: dict[str, list[PastCall]] = {}
        self.trouble: Exception | None = None
        self.asked: list[AskHistory] = []
        self.patience_s: list[float] = []

    def keep(
        self, call_id: str, ago: timedelta, matter: str = "", type_: str | None = None
    ) -> None:
        kept = PastCall(
            call_id=call_id, started_at=(NOW - ago).isoformat(), call_type=type_, matter=matter
        )
        self.calls.setdefault(NUMBER, []).append(kept)

    async def request(
        self, asked: AskHistory, reply: type[Reply], *, timeout_s: float = 5.0
    ) -> Reply:
        self.asked.append(asked)
        self.patience_s.append(timeout_s)
        if self.trouble:
            raise self.trouble
        newest = sorted(
            self.calls.get(asked.caller_number, []), key=lambda c: c.started_at, reverse=True
        )
        return reply(calls=tuple(newest[: asked.limit]))


@pytest.fixture
def records() -> ScriptedRecords:
    return ScriptedRecords()


@pytest.fixture
def history(records: ScriptedRecords) -> AskingHistory:
    log = logging.getLogger("banxi.history-test")
    return AskingHistory(cast("Bus", records), within_days=30, limit=3, patience_s=0.5, log=log)


def started(number: str = NUMBER, call_id: str = "now", at: datetime = NOW) -> CallStarted:
    return CallStarted(
        call_id=call_id, site="s", at_ms=0, agent_id="8", caller_number=number, wall_time=at
    )


async def test_earlier_calls_newest_first_without_itself_and_what_came_later(
    records: ScriptedRecords, history: AskingHistory
) -> None:
    records.keep("a", timedelta(days=9), "社保卡丢了怎么补", "咨询")
    records.keep("b", timedelta(days=2), "", "某种新类型")
    records.keep("c", timedelta(hours=1), "卡还是没有补下来", "投诉")
    records.keep("now", timedelta(0), "我又来问补卡的事", "纠缠")
    known = await history.of(started())
    assert known == History(3, ("卡还是没有补下来", "社保卡丢了怎么补"), ("投诉", "咨询"))
    assert (records.asked[0].within_days, records.patience_s) == (30, [0.5])
    records.keep("later", -timedelta(hours=2), "还没有补", "纠缠")
    assert (await history.of(started())).matters == ("卡还是没有补下来",)
    assert "社保卡" not in repr(known)


async def test_no_more_than_wanted_and_none_older_than_the_window(
    records: ScriptedRecords, history: AskingHistory
) -> None:
    for day in range(1, 8):
        records.keep(f"c{day}", timedelta(days=day), f"第{day}天")
    assert (await history.of(started())).matters == ("第1天", "第2天", "第3天")
    months_later = started(at=NOW + timedelta(days=28))
    assert (await history.of(months_later)).matters == ("第1天", "第2天")


async def test_a_time_that_cannot_be_read_is_passed_over(
    records: ScriptedRecords, history: AskingHistory
) -> None:
    records.calls[NUMBER] = [
        PastCall(call_id="x", started_at="yesterday", matter="不详"),
        PastCall(call_id="y", started_at="2026-03-04T08:00:00", matter="没有时区"),
        PastCall(call_id="z", started_at="9999-12-31T23:59:59-12:00", matter="太远"),
    ]
    assert (await history.of(started())).matters == ("没有时区",)


@pytest.mark.parametrize("number", ["", " ", "anonymous", "0", "00000000", "8001", "1" * 200])
async def test_withheld_and_impossible_numbers_ask_nothing(
    number: str, records: ScriptedRecords, history: AskingHistory
) -> None:
    assert await history.of(started(number)) == NOTHING
    assert records.asked == []


@pytest.mark.parametrize(
    "trouble",
    [
        RequestFailed(Problem(code="unavailable", message="service records is not running")),
        nats.errors.ConnectionClosedError(),
        no_contract(),
    ],
)
async def test_without_records_it_goes_on_and_rests(
    trouble: Exception,
    records: ScriptedRecords,
    history: AskingHistory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("services.common.asking.time.monotonic", lambda: now_s)
    caplog.set_level(logging.INFO)
    records.keep("a", timedelta(days=1), "补卡")
    records.trouble = trouble
    for _ in range(3):
        assert await history.of(started()) == NOTHING
    assert len(records.asked) == 1
    now_s += REST_S
    assert await history.of(started()) == NOTHING
    records.trouble = None
    now_s += REST_S
    assert (await history.of(started())).calls == 1
    assert (history.asked, history.unanswered) == (5, 4)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert NUMBER not in caplog.text
