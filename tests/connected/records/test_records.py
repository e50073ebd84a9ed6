from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

import pytest

from contracts import subjects
from contracts.call_type import CallType
from contracts.feedback import FeedbackGiven
from contracts.requests import (
    AskCall,
    AskHistory,
    CountFeedback,
    Describe,
    Description,
    FeedbackCounted,
    History,
    KeptCall,
    RuleFeedback,
)
from services.common import streams
from services.common.bus import Bus, RequestFailed
from services.common.consumer import CallConsumer
from services.common.failure import CannotStart
from services.records.app import create_app
from services.records.settings import Settings
from tests.conftest import free_port
from tests.connected.common.servers import living, readyz
from tests.connected.records.scripts import as_json, dead, kept, running, script
from tests.until import until

pytestmark = pytest.mark.connected


def new_id() -> str:
    return f"call-{uuid.uuid4().hex[:12]}"


async def test_every_event_is_kept_once_and_in_order(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    calls = {
        id_: script(bus, id_, "喂", "社保卡丢了怎么补") for id_ in (new_id() for _ in range(20))
    }
    async with running(bus, nats_url, tmp_path):
        for step in zip(*calls.values(), strict=True):
            for event in step:
                await bus.publish(event)
        for id_, events in calls.items():
            call = await kept(bus, id_, len(events))
            assert [e.event_id for e in call.events] == [e.event_id for e in events]
            stripped = [
                {k: v for k, v in e.payload.items() if k != "wall_time"} for e in call.events
            ]
            assert stripped == [as_json(event) for event in events]
            assert call.ended


async def test_an_event_that_comes_again_is_kept_once(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    id_ = new_id()
    events = script(bus, id_, "社保卡丢了怎么补")
    async with running(bus, nats_url, tmp_path):
        for event in events:
            await bus.publish(event)
        await kept(bus, id_, len(events))
    # All of them again, as after a crash before the acknowledgement: a new set of consumers.
    for partition in range(subjects.PARTITIONS):
        await bus.js.delete_consumer(streams.CALLS, f"records-{bus.site}-{partition}")
    # And one that came again after the server had forgotten its id.
    await bus.js.publish(
        subjects.call(events[1]), events[1].model_dump_json().encode(), stream=streams.CALLS
    )
    async with running(bus, nats_url, tmp_path) as service:
        consumer: CallConsumer[None] = service.consumers[0]

        async def handled() -> int:
            return consumer.handled

        await until(handled, lambda count: count == len(events) + 1)
        call = await kept(bus, id_, len(events))
        assert [e.event_id for e in call.events] == [e.event_id for e in events]
        assert await dead(bus) == []


async def test_history_is_newest_first_with_type_and_matter(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    old, new, live, other = (new_id() for _ in range(4))
    async with running(bus, nats_url, tmp_path):
        made: list[tuple[str, str, CallType, bool]] = [
            (old, "139", "咨询", True),
            (new, "139", "纠缠", True),
            (live, "139", "咨询", False),
            (other, "138", "咨询", True),
        ]
        for id_, number, type_, ended in made:
            events = script(
                bus,
                id_,
                "喂，你好",
                "我想问一下提前退休",
                "那要带什么材料",
                number=number,
                type_=type_,
                ended=ended,
            )
            for event in events:
                await bus.publish(event)
            await kept(bus, id_, len(events))
        asked = await bus.request(AskHistory(caller_number="139"), History)
        found = [(call.call_id, call.call_type, call.matter) for call in asked.calls]
        matter = "提前退休，那要带什么材料"
        assert found == [(new, "纠缠", matter), (old, "咨询", matter)]
        one = await bus.request(AskHistory(caller_number="139", limit=1), History)
        assert [call.call_id for call in one.calls] == [new]
        nobody = await bus.request(AskHistory(caller_number="anonymous"), History)
        assert nobody.calls == ()


async def test_a_matter_is_the_caller_s_first_words_until_they_are_enough(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    said = [f"第{n}件是暖气不热的事" for n in "一二三四五六七八"]
    events = script(bus, new_id(), "喂，你好", *said, "谢谢再见")
    async with running(bus, nats_url, tmp_path):
        for event in [*events, events[2]]:
            await bus.js.publish(subjects.call(event), event.model_dump_json().encode())
        await kept(bus, events[0].call_id, len(events))
        asked = await bus.request(AskHistory(caller_number="13900000000"), History)
    whole = "，".join(said)
    assert [call.matter for call in asked.calls] == [whole[:59] + "…"]


async def test_an_unknown_call_is_not_found_and_a_long_one_comes_in_parts(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    id_ = new_id()
    events = script(bus, id_, *("医保断缴以后怎么办" * 2000 for _ in range(20)))
    async with running(bus, nats_url, tmp_path):
        with pytest.raises(RequestFailed) as caught:
            await bus.request(AskCall(call_id="nothing"), KeptCall)
        assert caught.value.problem.code == "not_found"
        for event in events:
            await bus.publish(event)
        first = await kept(bus, id_, 1)
        await until(
            lambda: bus.request(AskCall(call_id=id_, skip=len(events) - 1), KeptCall),
            lambda call: len(call.events) == 1,
        )
        first = await bus.request(AskCall(call_id=id_), KeptCall)
        assert first.more
        ids, more = [e.event_id for e in first.events], True
        while more:
            part = await bus.request(AskCall(call_id=id_, skip=len(ids)), KeptCall)
            ids += [e.event_id for e in part.events]
            more = part.more
        assert ids == [event.event_id for event in events]


async def test_what_is_no_event_is_set_aside_once(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    id_ = new_id()
    async with running(bus, nats_url, tmp_path):
        for subject in (f"call.{id_}.invented.later", "call.a$b.started"):
            await bus.js.publish(f"banxi.v1.{bus.site}.{subject}", b'{"a": 1}')
        for event in script(bus, id_):
            await bus.publish(event)
        await until(lambda: dead(bus), lambda found: len(found) >= 2)
        await kept(bus, id_, 3)
    async with running(bus, nats_url, tmp_path):
        marker = new_id()
        await bus.js.publish(f"banxi.v1.{bus.site}.call.{marker}.also.unknown", b"{}")
        letters = await until(lambda: dead(bus), lambda found: len(found) >= 3)
    assert [(letter["Banxi-Reason"], letter["payload"]) for letter in letters] == [
        ("unknown event name", '{"a": 1}'),
        ("the subject does not follow banxi.v1.{site}.call.{call_id}.{event}", '{"a": 1}'),
        ("unknown event name", "{}"),
    ]
    assert letters[0]["Banxi-Subject"].endswith(f".{id_}.invented.later")
    assert {letter["Banxi-Service"] for letter in letters} == {"records"}


async def test_describe_counts_what_is_kept(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    events = script(bus, new_id())
    async with running(bus, nats_url, tmp_path):
        for event in events:
            await bus.publish(event)
        said = await until(
            lambda: bus.request_of("records", Describe(), Description),
            lambda said: said.figures["events_kept"] == len(events),
        )
        assert said.ready and said.figures["calls_kept"] == 1


async def test_an_event_that_cannot_be_kept_does_not_hold_up_others(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    id_ = new_id()
    events = script(bus, id_)
    too_late = events[1].model_copy(update={"at_ms": 2**70})
    async with running(bus, nats_url, tmp_path):
        await bus.publish(too_late)
        for event in events:
            await bus.publish(event)
        await kept(bus, id_, len(events))
        (letter,) = await until(lambda: dead(bus), bool)
        assert letter["Banxi-Reason"].startswith("at_ms: ")


async def test_a_locked_database_is_waited_for(
    bus: Bus, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.records.tables.BUSY_MS", 50)
    id_ = new_id()
    events = script(bus, id_)
    async with running(bus, nats_url, tmp_path) as service:
        other = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for event in events:
            await bus.publish(event)

        async def state() -> tuple[bool, str]:
            return service.ready, service.detail

        _, detail = await until(state, lambda now: not now[0])
        assert "database is locked" in detail
        other.execute("ROLLBACK")
        other.close()
        call = await kept(bus, id_, len(events))
        assert len(call.events) == len(events)
        await until(state, lambda now: now == (True, ""))
    assert await dead(bus) == []


@pytest.mark.parametrize("content", [b"this is a text file, not a database\n" * 100, b"sqlite"])
async def test_a_file_that_is_no_database_stops_the_start(
    bus: Bus, nats_url: str, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "records.db"
    if content == b"sqlite":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE somebodys (a)")
        other.close()
    else:
        path.write_bytes(content)
    with pytest.raises(CannotStart, match=r"records\.db .*move it away"):
        async with running(bus, nats_url, tmp_path):
            pass


async def test_a_file_that_may_be_usable_later_is_waited_for(
    bus: Bus, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.records.tables.BUSY_MS", 50)
    monkeypatch.setattr("services.common.service.TRY_AGAIN_S", 0.1)
    path = tmp_path / "records.db"
    settings = Settings(
        site=bus.site, nats_url=nats_url, data_dir=tmp_path, health_port=free_port()
    )
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    async with living(create_app(settings)) as port:

        async def told(words: str) -> None:
            said = await until(lambda: readyz(port), lambda said: words in said.get("detail", ""))
            assert said["status"] == 503

        await told("cannot be used at the moment (database is locked)")
        other.execute("PRAGMA user_version=99")
        other.execute("COMMIT")
        await told("written by a newer Banxi")
        other.execute("PRAGMA user_version=0")
        await until(lambda: readyz(port), lambda said: said.get("ready"))
    other.close()


def test_an_unwritable_directory_ends_the_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(SystemExit) as caught:
        create_app(Settings(data_dir=occupied))
    assert caught.value.code == 2
    assert "BANXI_DATA_DIR" in capsys.readouterr().err


async def test_what_happened_before_the_service_started_is_kept_too(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    scripts = [script(bus, new_id(), "社保卡丢了怎么补") for _ in range(30)]
    for events in scripts:
        for event in events:
            await bus.publish(event)
    async with running(bus, nats_url, tmp_path):
        for events in scripts:
            await kept(bus, events[0].call_id, len(events))


async def test_how_often_a_rule_was_wrong(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    id_ = new_id()
    events = script(bus, id_, "社保卡丢了怎么补")
    events[2:2] = [
        FeedbackGiven(
            call_id=id_,
            site=bus.site,
            at_ms=500,
            agent_id="015",
            target="warning",
            target_id="impossible-500",
            rule="impossible",
            verdict="wrong",
        )
    ]
    async with running(bus, nats_url, tmp_path):
        for event in events:
            await bus.publish(event)
        await kept(bus, id_, len(events))
        counted = await bus.request(CountFeedback(within_days=1), FeedbackCounted)
        assert counted.rules == (RuleFeedback(rule="impossible", useful=0, wrong=1, dismissed=0),)
