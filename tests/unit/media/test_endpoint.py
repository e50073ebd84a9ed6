"""Endpoints on scripted probabilities: what is decided, when, and where it is dated."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.media.endpoint import CHUNK_MS, Began, Decision, Endpointer, Finished, Rules

pytestmark = pytest.mark.unit

RULES = Rules()


def sound(*pieces: tuple[float, int]) -> list[float]:
    """Chunks of `(probability, ms)` one after the other."""
    return [p for p, ms in pieces for _ in range(ms // CHUNK_MS)]


def decide(probabilities: Sequence[float], rules: Rules = RULES) -> list[Decision]:
    """Everything that is decided, the end of the call included."""
    endpointer = Endpointer(rules)
    decisions = [d for p in probabilities for d in endpointer.hear(p)]
    return decisions + endpointer.finish(len(probabilities) * CHUNK_MS)


def test_an_utterance_is_dated_back_to_where_its_sound_begins_and_ends() -> None:
    # 0.4 is not clearly voice, but the sound of which voice then comes
    heard = decide(sound((0.02, 960), (0.4, 32), (0.9, 1984), (0.1, 1600)))
    assert heard == [Began(960), Finished(960, 960 + 2016 - RULES.hangover_ms)]


def test_a_breath_does_not_end_an_utterance_but_a_pause_does() -> None:
    breath, pause = sound((0.05, 320)), sound((0.05, 704))
    spoken = sound((0.9, 960))
    assert len(decide(spoken + breath + spoken)) == 2
    starts = [d for d in decide(spoken + pause + spoken) if isinstance(d, Began)]
    assert starts == [Began(0), Began(960 + 704)]


def test_a_bang_shorter_than_a_tenth_of_a_second_is_no_speech() -> None:
    assert decide(sound((0.05, 640), (0.95, 64), (0.05, 640))) == []


def test_a_long_utterance_is_cut_at_a_short_pause_and_goes_on() -> None:
    long, breath = sound((0.9, 9600)), sound((0.05, 256))
    decided = decide(long + breath + sound((0.9, 960), (0.05, 704)))
    cut = 9600 - RULES.hangover_ms
    assert decided[:3] == [Began(0), Finished(0, cut), Began(9856, continues=True)]


def test_after_a_whole_pause_a_long_utterance_does_not_go_on() -> None:
    decided = decide(sound((0.9, 9600), (0.05, 704), (0.9, 320)))
    assert decided[2] == Began(9600 + 704, continues=False)


def test_a_short_utterance_is_not_cut_at_a_short_pause() -> None:
    decided = decide(sound((0.9, 6400), (0.05, 256), (0.9, 960), (0.05, 704)))
    assert decided == [Began(0), Finished(0, 6400 + 256 + 960 - RULES.hangover_ms)]


def test_speech_without_any_pause_is_cut_all_the_same() -> None:
    decided = decide(sound((0.9, 32_000)))
    cut = next(d.end_ms for d in decided if isinstance(d, Finished))
    assert abs(cut - RULES.longest_ms) < 100
    assert decided[2] == Began(cut, continues=True)
    assert decided[3] == Finished(cut, 32_000)


def test_the_end_of_the_call_closes_speech_and_drops_what_was_not_sure() -> None:
    assert decide(sound((0.05, 320), (0.9, 640))) == [Began(320), Finished(320, 960)]
    assert decide(sound((0.05, 320), (0.9, 64))) == []


@given(st.lists(st.sampled_from([0.02, 0.25, 0.4, 0.6, 0.98]), max_size=400))
def test_nothing_is_ever_decided_before_what_was_called_decided(chances: list[float]) -> None:
    rules = Rules(long_ms=2000, longest_ms=4000)
    endpointer = Endpointer(rules)
    settled, last_end, speaking = 0, 0, False
    for probability in chances:
        for decision in endpointer.hear(probability):
            if isinstance(decision, Began):
                assert not speaking
                assert decision.at_ms >= max(settled, last_end)
            else:
                assert speaking
                assert decision.end_ms >= settled
                assert decision.end_ms > decision.at_ms
                last_end = decision.end_ms
            speaking = isinstance(decision, Began)
        assert endpointer.decided_ms >= settled
        settled = endpointer.decided_ms
