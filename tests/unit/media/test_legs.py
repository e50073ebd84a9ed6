"""Two legs on one clock: frames, gaps, legs that come late or stop early."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.audio import Frame
from contracts.base import ROLES
from services.media.g711 import Samples
from services.media.legs import BEHIND_MS, REPLAY_PATIENCE_MS, Legs

pytestmark = pytest.mark.unit

RATE = 8000


def tone(ms: int, value: int = 1000) -> Samples:
    return np.full(ms * RATE // 1000, value, dtype=np.int16)


def legs(*, live: bool = True) -> Legs:
    return Legs("c1", "main", RATE, live=live)


def channel(frames: list[Frame], role: str) -> Samples:
    """One channel's samples put together; frames must follow each other without a hole."""
    mine = [frame for frame in frames if frame.role == role]
    assert [f.start_ms for f in mine] == [100 * n for n in range(len(mine))]
    return np.concatenate([np.frombuffer(f.pcm, dtype="<i2") for f in mine])


def test_frames_are_cut_at_100_ms_whatever_size_the_messages_have() -> None:
    both = legs()
    frames = []
    for _ in range(10):
        both.hear("agent", tone(37))
        both.hear("caller", tone(37))
        frames += both.cut()
    assert [f.start_ms for f in frames if f.role == "agent"] == [0, 100, 200]
    length, rest = both.finish()
    assert length == 370
    assert [(f.start_ms, f.end_ms) for f in rest] == [(300, 370), (300, 370)]
    assert channel(frames + rest, "agent").tolist() == tone(370).tolist()


def test_a_paused_live_leg_follows_a_second_behind_and_comes_back_in_its_place() -> None:
    both = legs()
    frames: list[Frame] = []
    for tick in range(50):  # 5 s of wall time; the caller's leg pauses from 1 s to 4 s
        both.hear("agent", tone(100))
        if tick < 10 or tick >= 40:
            both.hear("caller", tone(100))
        else:
            both.pass_time(100, ["caller"], gone=False)
            assert both.ahead_ms("agent") <= BEHIND_MS + 100
        frames += both.cut()
    length, rest = both.finish()
    heard = channel(frames + rest, "caller")
    assert length == 5000
    voiced = np.flatnonzero(heard) * 1000 // RATE
    gap = voiced[np.argmax(np.diff(voiced)) + 1]
    assert abs(gap - 4000) <= 100


def test_a_short_stall_loses_and_shifts_nothing() -> None:
    both = legs()
    for role in ROLES:
        both.hear(role, tone(1000))
    for _ in range(9):
        both.pass_time(100, ROLES, gone=False)
    for role in ROLES:
        both.hear(role, tone(900))
    assert both.finish()[0] == 1900


def test_a_replayed_leg_is_not_filled_while_its_sender_may_be_busy() -> None:
    both = legs(live=False)
    both.hear("agent", tone(5000))
    for _ in range(REPLAY_PATIENCE_MS // 100 - 1):
        both.pass_time(100, ["caller"], gone=False)
    assert both.received_ms("caller") == 0
    both.pass_time(100, ["caller"], gone=False)
    assert both.received_ms("caller") == 4000


@pytest.mark.parametrize("live", [True, False])
def test_while_nobody_is_connected_the_clock_goes_on_by_wall_time(live: bool) -> None:
    both = legs(live=live)
    for role in ROLES:
        both.hear(role, tone(2000))
    for _ in range(40):
        both.pass_time(100, ROLES, gone=True)
    assert both.received_ms("agent") == 2000 + 4000 - BEHIND_MS
    assert both.heard_ms == 2000
    assert [both.resume(role) for role in ROLES] == [6000, 6000]


def test_a_quick_resume_goes_on_where_the_audio_stopped() -> None:
    both = legs()
    both.hear("agent", tone(2000))
    both.pass_time(800, ["agent"], gone=True)
    assert both.resume("agent") == 2000


def test_the_shorter_leg_is_filled_at_the_end() -> None:
    both = legs()
    both.hear("agent", tone(1500))
    both.hear("caller", tone(900))
    length, frames = both.finish()
    assert length == 1500
    assert not channel(frames, "caller")[900 * 8 :].any()
    assert len(channel(frames, "caller")) == 1500 * 8
