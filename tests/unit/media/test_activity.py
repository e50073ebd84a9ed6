"""The story of a call's voices: order of events, whatever order the channels are heard in."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import Event, Role
from contracts.call import CallProgressed
from contracts.speech import SpeechEnded, SpeechStarted
from services.media.activity import Activity
from services.media.endpoint import CHUNK_MS, Rules
from services.media.loudness import Chunk

pytestmark = pytest.mark.unit

SECOND = 1000 // CHUNK_MS + 1
VOICE, NOTHING = [Chunk(0.95, 0.01)] * SECOND, [Chunk(0.02, 0.0)] * SECOND
FAINT = [Chunk(0.95, 0.0001)] * SECOND


def story(agent: Sequence[Chunk], caller: Sequence[Chunk], block: int = 3) -> list[Event]:
    """Hear both channels in turn, a block at a time."""
    activity = Activity("c1", "main", Rules())
    events: list[Event] = []
    for start in range(0, len(agent), block):
        events += activity.hear("agent", agent[start : start + block])
        events += activity.hear("caller", caller[start : start + block])
    return events + activity.finish(len(agent) * CHUNK_MS)


def names(events: Sequence[Event]) -> list[str]:
    return [
        f"{event.event}:{event.role}"
        for event in events
        if isinstance(event, SpeechStarted | SpeechEnded)
    ]


def test_speech_is_told_in_order_and_closed_at_the_end() -> None:
    events = story(VOICE * 2 + NOTHING * 3, NOTHING * 3 + VOICE * 2)
    assert names(events) == [
        "speech.started:agent",
        "speech.ended:agent",
        "speech.started:caller",
        "speech.ended:caller",
    ]
    last = next(e for e in events if isinstance(e, SpeechEnded) and e.role == "caller")
    assert last.end_ms == 5 * SECOND * CHUNK_MS


def test_each_side_s_speech_is_as_loud_as_its_own_voice() -> None:
    events = story(VOICE * 2 + NOTHING + FAINT * 2 + NOTHING, NOTHING * 2 + FAINT + VOICE * 3)
    heard = [(e.role, e.level_db) for e in events if isinstance(e, SpeechEnded)]
    # The caller's one utterance: a quarter of it faint, three quarters a hundred times as strong.
    assert heard == [("agent", -20.0), ("agent", -40.0), ("caller", -21.2)]


def test_the_clock_is_told_up_to_a_start_before_the_start() -> None:
    """A timer that was due just before somebody speaks must still find its moment."""
    events = story(VOICE + NOTHING * 10 + VOICE, NOTHING * 12)
    start = next(e for e in events[5:] if isinstance(e, SpeechStarted) and e.at_ms > 5000)
    before = events[events.index(start) - 1]
    assert isinstance(before, CallProgressed)
    assert before.audio_ms == start.at_ms


def test_a_pause_of_the_agent_that_is_long_enough_is_told_through() -> None:
    events = story(VOICE * 2 + NOTHING * 10, VOICE + NOTHING * 11)
    moments = [e.audio_ms for e in events if isinstance(e, CallProgressed) and e.at_ms > 5200]
    assert max(b - a for a, b in itertools.pairwise(moments)) <= 500
    assert moments[-1] == 12 * SECOND * CHUNK_MS


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("agent", "caller")),
            st.lists(st.sampled_from([0.02, 0.4, 0.97]), min_size=1, max_size=60),
        ),
        max_size=20,
    )
)
def test_progress_never_passes_what_is_still_to_come(
    heard: list[tuple[Role, list[float]]],
) -> None:
    activity = Activity("c1", "main", Rules(long_ms=1500, longest_ms=3000))
    chunks = [(role, [Chunk(chance, chance) for chance in chances]) for role, chances in heard]
    events = [event for role, some in chunks for event in activity.hear(role, some)]
    events += activity.finish(sum(len(chances) for _, chances in heard) * CHUNK_MS)
    told = 0
    for event in events:
        if isinstance(event, CallProgressed):
            assert event.audio_ms > told
            told = event.audio_ms
        elif isinstance(event, SpeechEnded):
            assert event.end_ms >= told
            assert event.level_db == -0.1  # of what is clearly voice
        else:
            assert event.at_ms >= told
    assert len({event.event_id for event in events}) == len(events)
