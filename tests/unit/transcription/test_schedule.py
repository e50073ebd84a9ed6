"""What is decoded next, decided on values alone."""

from __future__ import annotations

import pytest

from services.transcription.buffer import Channel
from services.transcription.schedule import LONGEST_MS, FinalWork, PartialWork, Schedule

pytestmark = pytest.mark.unit

A, B, C = Channel("a", "caller"), Channel("b", "caller"), Channel("c", "agent")


def test_finals_go_first_in_order_and_partials_wait_for_all_of_them() -> None:
    schedule = Schedule(every_ms=2_000)
    schedule.opened(A, 1_000, 800)
    schedule.heard(A, 3_000)
    schedule.final_due(B, 1)
    schedule.final_due(C, 2)

    order = []
    while work := schedule.next():
        order.append(work)
        schedule.done(work)

    assert order == [FinalWork(B, 1), FinalWork(C, 2), PartialWork(A, 1_000, 800, 3_000)]


def test_partials_come_every_two_seconds_of_sound_and_never_twice_for_the_same() -> None:
    schedule = Schedule(every_ms=2_000)
    schedule.opened(A, 0, 0)
    extents = []
    for now in range(100, 6_500, 100):
        schedule.heard(A, now)
        if isinstance(work := schedule.next(), PartialWork):
            extents.append(work.to_ms)
            schedule.done(work)

    assert extents == [2_000, 4_000, 6_000]


def test_a_late_partial_takes_all_the_sound_there_is() -> None:
    schedule = Schedule(every_ms=2_000)
    schedule.opened(A, 0, 0)
    for now in range(100, 3_600, 100):
        schedule.heard(A, now)

    assert schedule.next() == PartialWork(A, 0, 0, 3_500)


def test_no_partial_after_the_utterance_ended() -> None:
    schedule = Schedule(every_ms=1_000)
    schedule.opened(A, 0, 0)
    schedule.heard(A, 1_500)
    schedule.closed(A)
    schedule.heard(A, 3_000)

    assert schedule.next() is None
    assert not schedule.is_open(A, 0)


def test_the_final_of_the_last_utterance_leaves_the_next_one_open() -> None:
    schedule = Schedule(every_ms=1_000)
    schedule.opened(A, 0, 0)
    schedule.closed(A)
    schedule.opened(A, 5_000, 4_800)
    schedule.final_due(A, 1)

    assert schedule.is_open(A, 5_000)


def test_a_channel_is_in_the_hands_of_one_worker() -> None:
    schedule = Schedule(every_ms=1_000)
    schedule.final_due(A, 1)
    schedule.final_due(A, 2)
    schedule.final_due(B, 3)

    first, second = schedule.next(), schedule.next()
    assert (first, second, schedule.next()) == (FinalWork(A, 1), FinalWork(B, 3), None)
    assert first is not None
    schedule.done(first)
    assert schedule.next() == FinalWork(A, 2)
    assert schedule.finals_waiting == 0


def test_no_partial_is_begun_while_a_final_waits_for_its_channel() -> None:
    schedule = Schedule(every_ms=1_000)
    schedule.final_due(A, 1)
    first = schedule.next()
    schedule.final_due(A, 2)
    schedule.opened(B, 0, 0)
    schedule.heard(B, 1_000)

    assert schedule.next() is None, "the final behind it may come any moment"
    assert first is not None
    schedule.done(first)
    assert schedule.next() == FinalWork(A, 2)


def test_when_too_many_wait_partials_are_dropped_and_counted_finals_never() -> None:
    schedule = Schedule(every_ms=1_000, most_partials=2)
    channels = [Channel(f"c{n}", "caller") for n in range(5)]
    for channel in channels:
        schedule.opened(channel, 0, 0)
        schedule.heard(channel, 1_000)
    for ticket in range(500):
        schedule.final_due(A, ticket)

    assert schedule.partials_dropped == 3
    assert schedule.finals_waiting == 500


def test_an_utterance_without_end_gets_no_partials_without_end() -> None:
    schedule = Schedule(every_ms=1_000)
    schedule.opened(A, 0, 0)
    schedule.heard(A, LONGEST_MS + 1)

    assert schedule.next() is None
