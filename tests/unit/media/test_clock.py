"""When the clock is told, on scripted voices: the agent silent, both at once, no caller yet."""

from __future__ import annotations

import itertools

import pytest

from services.media.clock import EVERY_MS, Clock

pytestmark = pytest.mark.unit

STEP = 100


def told(clock: Clock, start_ms: int, end_ms: int) -> list[int]:
    """What is published while every moment is decided as soon as it comes."""
    moments = [clock.progress(ms) for ms in range(start_ms, end_ms + 1, STEP)]
    return [moment for moment in moments if moment is not None]


def both_heard() -> Clock:
    """A clock after 10 s in which the caller spoke, then the agent, who still speaks."""
    clock = Clock(STEP)
    clock.began("caller", 1_000)
    clock.finished("caller", 4_000)
    clock.began("agent", 4_500)
    told(clock, 0, 10_000)
    return clock


def largest_gap(moments: list[int]) -> int:
    return max(b - a for a, b in itertools.pairwise(moments))


def test_until_the_caller_is_heard_the_clock_is_told_whoever_speaks() -> None:
    clock = Clock(STEP)
    clock.began("agent", 0)
    moments = told(clock, 0, 6_000)
    assert moments[0] <= EVERY_MS
    assert largest_gap(moments) <= EVERY_MS
    clock.began("caller", 6_000)
    clock.finished("caller", 7_000)
    assert told(clock, 6_100, 9_000) == []


def test_nothing_is_told_while_they_talk_in_turn() -> None:
    clock = both_heard()
    assert told(clock, 10_000, 20_000) == []
    clock.finished("agent", 20_000)
    assert told(clock, 20_000, 22_900) == []


def test_from_three_seconds_of_silence_of_the_agent_on_it_is_told() -> None:
    clock = both_heard()
    clock.finished("agent", 20_000)
    clock.began("caller", 20_500)
    moments = told(clock, 20_000, 30_000)
    assert moments[0] == 23_000
    assert largest_gap(moments) <= EVERY_MS
    clock.began("agent", 30_000)
    assert told(clock, 30_000, 30_400) == []


def test_talking_at_once_is_told_at_half_a_second_and_on() -> None:
    clock = both_heard()
    clock.began("caller", 12_340)
    moments = [m for ms in range(12_400, 14_400, 20) if (m := clock.progress(ms)) is not None]
    assert moments[0] == 12_840
    assert largest_gap(moments) <= EVERY_MS
    clock.finished("agent", 14_400)
    assert told(clock, 14_500, 16_000) == []


def test_it_never_goes_back() -> None:
    clock = both_heard()
    clock.finished("agent", 20_000)
    assert clock.progress(24_000) == 24_000
    assert clock.progress(23_000, at_once=True) is None
    assert clock.progress(24_000, at_once=True) is None


def test_speech_that_is_known_already_does_not_count_before_it_began() -> None:
    """One channel may be heard further than the other: the agent spoke at 26 s, not at 24 s."""
    clock = both_heard()
    clock.finished("agent", 20_000)
    clock.began("agent", 26_000)
    assert clock.progress(24_000) == 24_000
