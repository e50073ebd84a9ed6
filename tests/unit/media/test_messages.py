"""What a sender may say wrongly, and what it is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from contracts.door import Start
from services.media.messages import read_audio, read_later, read_start
from services.media.refusal import Refusal

pytestmark = pytest.mark.unit

GOOD: dict[str, Any] = {
    "type": "start",
    "protocol": 1,
    "call_id": "c1",
    "site": "main",
    "agent_id": "008",
    "caller_number": "19900000000",
    "codec": "alaw",
    "rate": 8000,
    "layout": "stereo",
    "left": "caller",
}


def start(**changes: Any) -> Start:
    return read_start(json.dumps(GOOD | changes))


@pytest.mark.parametrize("field", sorted(GOOD.keys() - {"type"}))
def test_a_missing_field_is_named(field: str) -> None:
    said = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(Refusal) as caught:
        read_start(json.dumps(said))
    assert (caught.value.error.code, caught.value.error.field) == ("missing_field", field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"call_id": "a.b"}, "call_id"),
        ({"call_id": "a b"}, "call_id"),
        ({"call_id": "a\n"}, "call_id"),
        ({"call_id": 7}, "call_id"),
        ({"agent_id": "零零八"}, "agent_id"),
        ({"codec": "opus"}, "codec"),
        ({"rate": 44100}, "rate"),
        ({"protocol": 2}, "protocol"),
        ({"layout": "quad"}, "layout"),
        ({"left": "supervisor"}, "left"),
        ({"pace": "warp"}, "pace"),
        ({"caller_number": "9" * 33}, "caller_number"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_not_repeated(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        start(**changes)
    error = caught.value.error
    assert (error.code, error.field) == ("bad_field", field)
    assert "9" * 33 not in error.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "not_started"),
        ("no json", "bad_json"),
        ("[1]", "bad_json"),
        ("[" * 100_000, "bad_json"),
        ('{"type":"stop"}', "not_started"),
    ],
)
def test_a_socket_that_does_not_start_is_told_how(text: str | None, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_start(text)
    assert caught.value.error.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (json.dumps(GOOD), "already_started"),
        ("{", "bad_json"),
        ('{"type":"hello"}', "unknown_type"),
        ('{"type":"stop","by":"nobody"}', "bad_field"),
    ],
)
def test_after_start_only_stop_may_come(text: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_later(text)
    assert caught.value.error.code == code
    assert read_later('{"type":"stop","by":"agent"}').by == "agent"


def test_stereo_is_taken_apart_by_who_is_left() -> None:
    samples = np.array([[1, 2], [3, 4]], dtype="<i2").tobytes()
    audio = read_audio(start(codec="pcm16le"), samples)
    assert audio["caller"].tolist() == [1, 3]
    assert audio["agent"].tolist() == [2, 4]
    mono = read_audio(start(codec="pcm16le", layout="mono", role="agent"), samples)
    assert {role: heard.tolist() for role, heard in mono.items()} == {"agent": [1, 2, 3, 4]}


@pytest.mark.parametrize(("data", "code"), [(b"123", "odd_length"), (b"12" * 32_769, "too_large")])
def test_audio_must_be_whole_samples_of_a_bearable_size(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_audio(start(codec="alaw"), data)
    assert caught.value.error.code == code
