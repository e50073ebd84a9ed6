"""The last seconds of sound, wherever frames come late, twice or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from services.transcription.buffer import Channel, Memory

pytestmark = pytest.mark.unit

A = Channel("c1", "agent")
B = Channel("c1", "caller")
RATE = 8000


def frame(value: int, ms: int = 100) -> bytes:
    return np.full(RATE * ms // 1000, value, dtype="<i2").tobytes()


def values(memory: Memory, channel: Channel, start_ms: int, end_ms: int) -> list[int]:
    """One value for every 100 ms of a span."""
    sound = memory.span(channel, start_ms, end_ms)
    assert sound is not None
    return [int(v) for v in sound.samples[RATE // 20 :: RATE // 10]]


def test_a_span_is_cut_to_the_millisecond_and_keeps_channels_apart() -> None:
    memory = Memory()
    for at in range(10):
        memory.add(A, at * 100, RATE, frame(at + 1))
        memory.add(B, at * 100, RATE, frame(50 + at))

    sound = memory.span(A, 150, 420)

    assert sound is not None
    assert (sound.start_ms, sound.end_ms) == (150, 420)
    assert [int(v) for v in np.unique(sound.samples)] == [2, 3, 4, 5]
    assert int((sound.samples == 2).sum()) == 50 * RATE // 1000
    assert values(memory, B, 0, 300) == [50, 51, 52]
    assert len(sound.since(400)) == 20 * RATE // 1000


def test_late_and_repeated_frames_find_their_place_and_holes_are_silence() -> None:
    memory = Memory()
    for at in (0, 3, 1, 1, 5):
        memory.add(A, at * 100, RATE, frame(at + 1))
    memory.add(A, 100, RATE, frame(99))

    assert values(memory, A, 0, 600) == [1, 2, 0, 4, 0, 6]


def test_what_is_not_held_is_not_given() -> None:
    memory = Memory(keep_ms=1_000)
    for at in range(30):
        memory.add(A, at * 100, RATE, frame(at + 1))

    assert memory.span(A, 0, 1_500) is None
    assert memory.span(B, 0, 1_500) is None
    clipped = memory.span(A, 0, 10_000_000)
    assert clipped is not None
    assert (clipped.start_ms, clipped.end_ms) == (1_900, 3_000)


def test_the_number_of_channels_is_bounded_and_calls_can_be_forgotten() -> None:
    memory = Memory(most=3)
    for call in ("old", "c1", "c2", "c3"):
        memory.add(Channel(call, "agent"), 0, RATE, frame(1))
    assert memory.end_ms(Channel("old", "agent")) == 0
    assert len(memory) == 3

    memory.forget("c1")
    assert memory.span(A, 0, 100) is None
    assert memory.end_ms(Channel("c2", "agent")) == 100


def test_a_channel_that_changes_its_rate_begins_anew() -> None:
    memory = Memory()
    memory.add(A, 0, RATE, frame(1))
    memory.add(A, 100, 16_000, frame(2))

    sound = memory.span(A, 0, 1_000)
    assert sound is not None
    assert (sound.rate, sound.start_ms, sound.end_ms) == (16_000, 100, 150)


def test_it_remembers_when_sound_arrived() -> None:
    memory = Memory()
    memory.add(A, 0, RATE, frame(1), heard_at=7.0)
    memory.add(A, 100, RATE, frame(1), heard_at=7.1)

    assert memory.heard_at(A, 100) == 7.0
    assert memory.heard_at(A, 101) == 7.1
    assert memory.heard_at(A, 900) is None
