"""Noise and hold music at the agent's place: no speech, no return, no end of a wait."""

from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.card import CardShown, CardWithdrawn
from contracts.speech import SpeechStarted
from contracts.transcript import TranscriptFinal
from contracts.warning import (
    HoldEnded,
    HoldStarted,
    SilenceEnded,
    SilenceStarted,
    WarningRaised,
    WarningWithdrawn,
)
from tests.unit.conduct.stories import CLOSING, OPENING, agent, alarms, caller, only, play
from tools.scripted_calls import Line

pytestmark = pytest.mark.unit

WAIT = "我帮您看一下，请您稍等"
BACK = "让您久等了，这个月底可以办理"


def begins(ask: str = WAIT) -> list[Line]:
    return [agent(0.5, 4, OPENING), caller(4.5, 8), agent(8.5, 11, ask)]


def ends(at: float) -> list[Line]:
    return [agent(at, at + 3, BACK), agent(at + 5, at + 7, CLOSING)]


def noise(start: float, end: float) -> Line:
    return agent(start, end, "")


def pieces(said: list[Event], begun: type[Event], over: type[Event]) -> list[tuple[int, int]]:
    """What was told of a hold or silence: from when to when, piece by piece."""
    starts = [e.at_ms for e in said if isinstance(e, begun)]
    ends = {e.at_ms: getattr(e, "end_ms", -1) for e in said if isinstance(e, over)}
    return [(start, ends.get(start, -1)) for start in starts]


def test_music_does_not_end_a_hold() -> None:
    said = play(*begins(), noise(14, 18), *ends(50), hangup=59)
    alarm = only(said, "hold_over_30s")
    assert (alarm.at_ms, alarm.due_ms, alarm.end_ms) == (11_000, 41_000, alarm.end_ms)
    assert alarm.end_ms <= 41_500
    assert pieces(said, HoldStarted, HoldEnded) == [(11_000, 14_000), (14_000, 50_000)]
    assert {e.limit_ms for e in said if isinstance(e, HoldStarted)} == {41_000}
    assert alarms(said) == ["hold_over_30s"]


def test_a_hold_goes_on_through_music_cut_into_pieces() -> None:
    """What goes on from a stretch without words is taken to have none either."""

    def cut(events: list[Event]) -> list[Event]:
        return [
            e.model_copy(update={"continues": True})
            if isinstance(e, SpeechStarted) and e.role == "agent" and e.at_ms in (20_000, 36_000)
            else e
            for e in events
        ]

    music = [noise(12, 19.9), noise(20, 35.9), noise(36, 47)]
    said = play(*begins(), *music, *ends(50), hangup=59, change=cut)
    # While sound is made the clock is told only at its cuts, the last at 47 s.
    assert only(said, "hold_over_30s").end_ms == 47_000
    assert pieces(said, HoldStarted, HoldEnded) == [(11_000, 12_000), (12_000, 50_000)]


def test_words_found_where_music_seemed_to_go_on_take_the_alarm_back() -> None:
    def cut(events: list[Event]) -> list[Event]:
        return [
            e.model_copy(update={"continues": True})
            if isinstance(e, SpeechStarted) and e.at_ms == 20_000
            else e
            for e in events
        ]

    lines = [*begins(), noise(12, 19.9), agent(20, 45, BACK), agent(47, 49, CLOSING)]
    said = play(*lines, hangup=52, change=cut)
    raised = only(said, "hold_over_30s")
    withdrawn = {e.warning_id for e in said if isinstance(e, WarningWithdrawn)}
    assert withdrawn == {raised.warning_id}
    assert pieces(said, HoldStarted, HoldEnded)[-1] == (12_000, 20_000)


def test_a_hold_that_is_too_long_after_all_is_another_warning() -> None:
    """A voice that is told of late takes the alarm back; it turns out to have been a cough."""

    def late(events: list[Event]) -> list[Event]:
        cough = [e for e in events if e.at_ms == 20_000 and getattr(e, "role", "") == "agent"]
        rest = [e for e in events if e not in cough]
        at = next(i for i, e in enumerate(rest) if getattr(e, "audio_ms", 0) >= 43_000)
        return [*rest[:at], *cough, *rest[at:]]

    said = play(*begins(), noise(20, 22), *ends(50), hangup=59, change=late)
    ids = [
        (e.event, e.warning_id) for e in said if isinstance(e, WarningRaised | WarningWithdrawn)
        and e.warning_id.startswith("hold_over_30s")
    ]  # fmt: skip
    assert ids == [
        ("warning.raised", "hold_over_30s-11000"),
        ("warning.withdrawn", "hold_over_30s-11000"),
        ("warning.raised", "hold_over_30s-11000-2"),
    ]


def test_the_card_comes_back_after_a_noise() -> None:
    said = play(*begins(), noise(37, 38), *ends(50), hangup=59)
    cards = [e for e in said if isinstance(e, CardShown) and e.slot == "moment"]
    gone = [e for e in said if isinstance(e, CardWithdrawn)]
    assert [c.at_ms for c in cards] == [36_000, 37_000]
    assert [c.at_ms for c in gone] == [37_000, 50_000]
    assert {c.card_id for c in cards} == {c.card_id for c in gone}


def test_the_alarm_is_raised_late_where_the_noise_was_known_late() -> None:
    def late(events: list[Event]) -> list[Event]:
        empty = next(e for e in events if isinstance(e, TranscriptFinal) and not e.text)
        rest = [e for e in events if e is not empty]
        index = next(i for i, e in enumerate(rest) if e.at_ms > 52_000)
        return [*rest[:index], empty, *rest[index:]]

    said = play(*begins(), noise(35, 36), *ends(50), hangup=59, change=late)
    alarm = only(said, "hold_over_30s")
    assert (alarm.at_ms, alarm.due_ms, alarm.end_ms) == (11_000, 41_000, 50_000)
    assert pieces(said, HoldStarted, HoldEnded) == [(11_000, 35_000), (35_000, 50_000)]


def test_a_hold_begins_where_music_follows_the_request_at_once() -> None:
    said = play(*begins(), noise(11.6, 20), *ends(45), hangup=54)
    assert only(said, "hold_over_30s").at_ms == 11_000
    assert next(e for e in said if isinstance(e, HoldStarted)).at_ms == 11_000


def test_a_noise_does_not_end_a_silence() -> None:
    said = play(*begins("好的我看一下"), noise(15, 15.6), *ends(24), hangup=33)
    alarm = only(said, "silence")
    assert (alarm.at_ms, alarm.due_ms) == (11_000, 19_000)
    assert alarm.end_ms <= 19_700
    assert pieces(said, SilenceStarted, SilenceEnded) == [(11_000, 15_000), (15_000, 24_000)]


def test_two_silences_become_one_where_what_parted_them_was_noise() -> None:
    """The noise is known as such only when the second silence has been noted already."""

    def late(events: list[Event]) -> list[Event]:
        empty = next(e for e in events if isinstance(e, TranscriptFinal) and not e.text)
        rest = [e for e in events if e is not empty]
        index = next(i for i, e in enumerate(rest) if e.at_ms > 18_800)
        return [*rest[:index], empty, *rest[index:]]

    said = play(*begins("好的我看一下"), noise(15, 15.6), *ends(24), hangup=33, change=late)
    assert (only(said, "silence").at_ms, only(said, "silence").due_ms) == (11_000, 19_000)
    told = pieces(said, SilenceStarted, SilenceEnded)
    assert told[0] == (11_000, 15_000)
    assert told[-1][1] == 24_000


def test_a_word_that_is_short_does_end_a_silence() -> None:
    said = play(*begins("好的我看一下"), agent(16.5, 17, "还在看"), *ends(23), hangup=32)
    assert "silence" not in alarms(said)


def test_without_words_a_sound_of_the_agent_counts_as_speech() -> None:
    """A recogniser that says nothing cannot take a return away."""

    def dropped(events: list[Event]) -> list[Event]:
        return [e for e in events if not (isinstance(e, TranscriptFinal) and not e.text)]

    said = play(*begins(), noise(30, 31), *ends(45), hangup=54, change=dropped)
    assert "hold_over_30s" not in alarms(said)


def test_a_hang_up_in_the_midst_of_music_ends_the_hold() -> None:
    """What the sound was is known only after the hang-up."""
    said = play(*begins(), noise(14, 60), hangup=45)
    assert pieces(said, HoldStarted, HoldEnded) == [(11_000, 14_000), (14_000, 45_000)]
    assert only(said, "hold_over_30s").end_ms == 45_000
