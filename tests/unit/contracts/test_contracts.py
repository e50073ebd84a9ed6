"""The contracts as others build on them: golden messages, subjects, ids, generated documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from contracts import envelope, subjects
from contracts.audio import Frame, read_frame
from contracts.base import UNSTAMPED
from contracts.call import CallStarted
from contracts.events import KEPT, LIVE, NotAContract, read_event
from contracts.speech import SpeechStarted
from tools.contracts import FOLDER, asyncapi, documents, models

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[2] / "golden"


def test_every_message_has_its_golden_json_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(models())


@pytest.mark.parametrize("name", sorted(models()))
def test_golden_json_reads_and_writes_the_same(name: str) -> None:
    text = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert models()[name].model_validate_json(text).model_dump(mode="json") == json.loads(text)


@pytest.mark.parametrize("name", sorted(models()))
def test_golden_json_fits_the_published_schema(name: str) -> None:
    schema = json.loads((FOLDER / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")), schema)


def test_generated_documents_are_fresh() -> None:
    stale = [n for n, t in documents().items() if (FOLDER / n).read_text(encoding="utf-8") != t]
    assert stale == []


def test_every_field_of_every_message_is_documented() -> None:
    undocumented = [
        f"{name}.{field}"
        for name, model in models().items()
        for field, info in model.model_fields.items()
        if not info.description
    ]
    assert undocumented == []


def test_asyncapi_names_a_channel_for_every_event() -> None:
    channels = asyncapi()["channels"]
    assert set(KEPT) | set(LIVE) <= set(channels)
    started = channels["started"]["address"]
    assert started == "banxi.v1.{site}.call.{call_id}.started"


def test_the_events_of_the_brief_are_all_there() -> None:
    named = (
        "started ended progressed speech.started speech.ended transcript.final "
        "call_type.assessed situation.recognised card.shown card.withdrawn warning.raised "
        "warning.confirmed warning.withdrawn silence.started silence.ended hold.started "
        "hold.ended phrase.due phrase.said score.changed escalation.raised "
        "escalation.acknowledged escalation.taken_over escalation.closed feedback.given"
    )
    assert set(named.split()) <= set(KEPT)


def test_event_ids_are_deterministic_and_name_call_rule_time_and_event() -> None:
    event = SpeechStarted(call_id="c1", site="main", at_ms=900, role="agent")
    assert event.event_id == "c1:agent:900:speech.started"


def test_subjects_go_out_plain_and_come_back_with_their_partition() -> None:
    event = SpeechStarted(call_id="c1", site="main", at_ms=900, role="agent")
    assert subjects.call(event) == "banxi.v1.main.call.c1.speech.started"
    stored = subjects.parse_stored("banxi.v1.main.call.7.c1.speech.started")
    assert stored == subjects.CallSubject("main", "c1", "speech.started")


@pytest.mark.parametrize(
    "subject",
    [
        "banxi.v1.main.call.c1.started",
        "banxi.v1.main.call.7.a b.started",
        "x",
        "banxi.v2.a.b.c.d.e",
    ],
)
def test_foreign_subjects_are_nobodys(subject: str) -> None:
    assert subjects.parse_stored(subject) is None


def test_what_is_wrong_with_a_message_is_said_without_its_words() -> None:
    payload = (
        b'{"call_id":"c1","site":"main","at_ms":-5,"role":"\xe6\x88\x91\xe5\xa7\x93\xe7\x8e\x8b"}'
    )
    with pytest.raises(NotAContract) as caught:
        read_event("speech.started", payload)
    assert "at_ms" in str(caught.value)
    assert "role" in str(caught.value)
    assert "我姓王" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at_ms", 2**62),
        ("at_ms", 10**30),
        ("wall_time", "0001-01-01T00:00:00+14:00"),
        ("wall_time", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_times_nobody_can_reckon_with_are_no_contract(field: str, value: object) -> None:
    good = {"call_id": "c", "site": "s", "at_ms": 1, "role": "agent"}
    with pytest.raises(NotAContract, match=field):
        read_event("speech.started", json.dumps(good | {field: value}).encode())


def test_a_wall_time_without_a_zone_is_utc() -> None:
    said = b'{"call_id":"c","site":"s","at_ms":1,"role":"agent","wall_time":"2026-01-01T00:00:00"}'
    assert read_event("speech.started", said).wall_time == datetime(2026, 1, 1, tzinfo=UTC)


def test_unknown_fields_of_a_later_version_are_ignored() -> None:
    event = read_event(
        "speech.started", b'{"call_id":"c","site":"s","at_ms":1,"role":"agent","x":1}'
    )
    assert isinstance(event, SpeechStarted)


def test_envelope_carries_cloudevents_and_one_trace_for_the_whole_call() -> None:
    first = CallStarted(call_id="c1", site="main", at_ms=0, agent_id="8", caller_number="1")
    second = SpeechStarted(call_id="c1", site="main", at_ms=900, role="agent")
    one = envelope.headers(first, source="media", wall_time=UNSTAMPED)
    two = envelope.headers(second, source="conduct", wall_time=UNSTAMPED, cause=one)
    assert one["ce-id"] == one["Nats-Msg-Id"] == first.event_id
    assert two["ce-type"] == "banxi.v1.speech.started"
    assert one["traceparent"].split("-")[1] == two["traceparent"].split("-")[1]
    assert one["traceparent"].split("-")[2] != two["traceparent"].split("-")[2]


def test_a_trace_that_somebody_else_began_goes_on() -> None:
    event = SpeechStarted(call_id="c1", site="main", at_ms=900, role="agent")
    theirs = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    assert envelope.traceparent(event, theirs).split("-")[1] == "a" * 32
    assert envelope.traceparent(event, {"traceparent": "none"}) == envelope.traceparent(event)


def test_audio_frames_know_their_place_and_refuse_half_samples() -> None:
    frame = Frame("main", "c1", "agent", 1200, 8000, b"\0\0" * 800)
    assert frame.end_ms == 1300
    assert read_frame("main", "c1", "agent", frame.headers(), frame.pcm) == frame
    with pytest.raises(ValueError, match="16-bit"):
        read_frame("main", "c1", "agent", frame.headers(), b"\0")
    with pytest.raises(ValueError, match="Banxi-Start-Ms"):
        read_frame("main", "c1", "agent", {}, b"\0\0")
