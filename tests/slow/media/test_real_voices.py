"""Recorded voices through the door: who spoke when, as it stands on the bus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from contracts.base import Role
from contracts.call import CallProgressed
from contracts.speech import SpeechEnded, SpeechStarted
from services.common.bus import Bus
from tests.connected.media.exchange import running
from tools.door_client import play
from tools.recordings import Known, Recording

pytestmark = pytest.mark.slow

AUDIO = Path(__file__).parents[2] / "data" / "audio"
RATE = 8000
LOUD = 10 ** (-30 / 20)
"""Sound this much below the loudest of a recording is its background."""
TOLERANCE_MS = 300

PLACED: list[tuple[Role, str, float]] = [
    ("caller", "test.wav", 1.0),
    ("agent", "zero_shot_prompt.wav", 9.5),
    ("caller", "asr_example.wav", 13.2),
    ("agent", "zero_shot_prompt.wav", 16.0),  # talks into the caller's words
]
"""Who, what, and the second it is put at."""


def voice(name: str) -> tuple[NDArray[np.float32], int, int]:
    """A recording on the line, and where its sound begins and ends, ms, by loudness alone."""
    sound, rate = soundfile.read(AUDIO / name, dtype="float32")
    line = soxr.resample(sound, rate, RATE)
    tens = line[: len(line) // 80 * 80].reshape(-1, 80)
    loudness = np.sqrt((tens**2).mean(axis=1))
    loud = np.flatnonzero(loudness > loudness.max() * LOUD)
    return line, int(loud[0]) * 10, int(loud[-1] + 1) * 10


def call() -> tuple[Recording, list[tuple[Role, int, int]]]:
    """A call of 25 s with line noise, clicks of a keyboard, and recorded voices; and the truth."""
    random = np.random.default_rng(5)
    sound = random.normal(0, 0.0015, (25 * RATE, 2)).astype(np.float32)
    for second in np.arange(1.0, 9.0, 0.7):  # the agent types while the caller speaks
        at = int(second * RATE)
        sound[at : at + 400, 0] += random.normal(0, 0.15, 400) * np.exp(-np.arange(400) / 80)
    truth = []
    for role, name, second in PLACED:
        line, begins, ends = voice(name)
        at = int(second * RATE)
        sound[at : at + len(line), 0 if role == "agent" else 1] += line
        truth.append((role, int(second * 1000) + begins, int(second * 1000) + ends))
    samples = np.clip(sound * 32767, -32768, 32767).astype(np.int16)
    return Recording("voices", samples, RATE, Known()), truth


async def test_who_spoke_when_agrees_with_the_sound(nats_url: str, bus: Bus) -> None:
    recording, truth = call()
    async with running(nats_url, bus) as door:
        await play(recording, call_id="voices", url=door.url, site=bus.site, speed=0, codec="alaw")
        events = await door.ended("voices")
    heard = sorted((e.at_ms, e.end_ms, e.role) for e in events if isinstance(e, SpeechEnded))
    assert [role for *_, role in heard] == [role for role, *_ in truth]
    for (start, end, _), (_, begins, ends) in zip(heard, truth, strict=True):
        assert abs(start - begins) <= TOLERANCE_MS
        assert abs(end - ends) <= TOLERANCE_MS
    assert not any(e.continues for e in events if isinstance(e, SpeechStarted))
    # Both speak at once from 16.4 s on: told when it has lasted half a second.
    at_once = max(truth[2][1], truth[3][1])
    told = [e.audio_ms for e in events if isinstance(e, CallProgressed)]
    assert any(at_once + 500 <= ms + TOLERANCE_MS <= at_once + 1100 for ms in told)
