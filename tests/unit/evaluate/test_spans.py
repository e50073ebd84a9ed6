"""Ends of alarms as the whole call tells them."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.base import Event, Producer
from contracts.call import CallEnded
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.warning import HoldEnded, WarningRaised
from tools.evaluate.spans import end_ms

pytestmark = pytest.mark.unit

CALL: dict[str, Any] = {"call_id": "c", "site": "s"}


def raised(kind: Any, at: int, end: int) -> WarningRaised:
    return WarningRaised(
        **CALL, at_ms=at, by=Producer(name=kind, version="1"), warning_id=f"{kind}-{at}",
        kind=kind, level="alarm", end_ms=end, due_ms=end, message="。",
    )  # fmt: skip


def speech(role: Any, start: int, end: int, *, continues: bool = False) -> list[Event]:
    return [
        SpeechStarted(**CALL, at_ms=start, role=role, continues=continues),
        SpeechEnded(**CALL, at_ms=start, end_ms=end, role=role),
    ]


def test_an_interruption_lasts_while_both_speak_pauses_bridged() -> None:
    events = [
        *speech("caller", 1_000, 4_000),
        *speech("caller", 4_200, 6_200, continues=True),
        *speech("caller", 9_000, 9_900),
        *speech("agent", 5_000, 8_000),
    ]
    assert end_ms(raised("interruption", 5_000, 5_500), events) == 6_200


def test_a_silent_caller_is_silent_until_a_voice_or_the_hang_up() -> None:
    over = CallEnded(**CALL, at_ms=40_000, ended_by="agent")
    warning = raised("silent_caller", 8_000, 13_000)
    assert end_ms(warning, [over]) == 40_000
    assert end_ms(warning, [*speech("caller", 20_000, 21_000), over]) == 20_000
    assert end_ms(warning, []) == 13_000


def test_a_hold_cut_by_a_noise_goes_on_where_it_was_cut() -> None:
    pieces = [
        HoldEnded(**CALL, at_ms=1_000, end_ms=9_000),
        HoldEnded(**CALL, at_ms=9_000, end_ms=41_000),
    ]
    assert end_ms(raised("hold_over_30s", 1_000, 31_000), pieces) == 41_000
