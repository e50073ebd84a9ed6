"""Loudness of utterances: which chunks count, and the level of known sounds as they are heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from contracts.door import Codec
from contracts.speech import SpeechEnded
from services.media.activity import Activity
from services.media.endpoint import CHUNK_MS, Rules
from services.media.g711 import decode, encode
from services.media.loudness import QUIETEST_DB, Chunk, Loudness
from services.media.vad import Channel

pytestmark = pytest.mark.unit

RULES = Rules()
FRAME_MS = 100
VOICES = Path(__file__).parents[2] / "data" / "audio"


def powers(sound: NDArray[np.float64], rate: int, codec: Codec = "pcm16le") -> list[float]:
    """A sound between -1 and 1 as it is heard from the line: the power of its chunks, in dB."""
    line = decode(codec, encode(codec, (sound * 32767).round().astype(np.int16)))
    pcm, size = line.astype("<i2").tobytes(), rate * FRAME_MS // 1000 * 2
    channel = Channel(rate)
    heard = [c for at in range(0, len(pcm), size) for c in channel.hear(pcm[at : at + size])]
    heard += channel.hear(b"", last=True)
    return [10 * float(np.log10(chunk.power)) for chunk in heard[4:-4]]


def tone(level_db: float, rate: int, hertz: float = 440) -> NDArray[np.float64]:
    """Two seconds of a sine of that mean loudness."""
    return np.sin(np.arange(2 * rate) * 2 * np.pi * hertz / rate) * 2**0.5 * 10 ** (level_db / 20)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("codec", ["pcm16le", "alaw", "ulaw"])
@pytest.mark.parametrize("level_db", [-45.0, -26.0, -3.1])
def test_a_tone_is_as_loud_as_it_was_made(level_db: float, codec: Codec, rate: int) -> None:
    heard = powers(tone(level_db, rate), rate, codec)
    assert heard == pytest.approx([level_db] * len(heard), abs=0.6)


def test_noise_is_as_loud_as_it_was_made() -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, 32_000)
    assert np.mean(powers(noise, 16000)) == pytest.approx(20 * np.log10(0.05), abs=0.2)


def test_only_what_is_clearly_voice_within_the_utterance_counts() -> None:
    loudness = Loudness(RULES)
    for chunk in [
        Chunk(0.9, 1.0),  # a click before it
        *[Chunk(0.02, 0.5)] * 3,
        *[Chunk(0.9, 0.01)] * 10,
        *[Chunk(0.1, 0.9)] * 5,  # a breath into the microphone
        *[Chunk(0.9, 0.01)] * 10,
        Chunk(0.9, 1.0),  # after its end
    ]:
        loudness.hear(chunk)
    assert loudness.level_db(4 * CHUNK_MS, 29 * CHUNK_MS) == -20.0
    assert loudness.level_db(29 * CHUNK_MS, 30 * CHUNK_MS) == 0.0
    assert loudness.level_db(29 * CHUNK_MS, 30 * CHUNK_MS) is None


@pytest.mark.parametrize(("power", "level_db"), [(0.0, QUIETEST_DB), (1.3, 0.0)])
def test_nothing_is_louder_than_full_scale_or_quieter_than_silence(
    power: float, level_db: float
) -> None:
    loudness = Loudness(RULES)
    loudness.hear(Chunk(0.9, power))
    assert loudness.level_db(0, CHUNK_MS) == level_db


def test_noise_that_never_becomes_an_utterance_is_forgotten() -> None:
    loudness = Loudness(RULES)
    for _ in range(10 * RULES.longest_ms // CHUNK_MS):
        loudness.hear(Chunk(0.9, 0.5))
    assert loudness.level_db(0, CHUNK_MS) is None


@pytest.mark.parametrize("codec", ["pcm16le", "alaw", "ulaw"])
def test_a_voice_that_grows_louder_is_heard_to(codec: Codec) -> None:
    """The same sentence three times: as it is, 12 dB quieter, and as it is again."""
    sound, rate = soundfile.read(VOICES / "test.wav", dtype="float64")
    said = soxr.resample(sound, rate, 8000) * 0.9 / np.abs(sound).max()
    said = said.clip(-1, 1)
    pause = np.zeros(8000)
    whole = np.concatenate([said, pause, said / 4, pause, said, pause])
    line = decode(codec, encode(codec, (whole * 32767).astype(np.int16))).astype("<i2")
    activity, channel = Activity("c1", "main", RULES), Channel(8000)
    heard = activity.hear("caller", channel.hear(line.tobytes()))
    heard += activity.hear("caller", channel.hear(b"", last=True))
    heard += activity.finish(len(whole) // 8)
    spoken = [e for e in heard if isinstance(e, SpeechEnded)]
    thirds = len(whole) / 3 / 8
    normal, quiet, again = (
        [e.level_db for e in spoken if n * thirds <= e.at_ms < (n + 1) * thirds] for n in range(3)
    )
    assert len(normal) == len(quiet) == len(again) > 0
    for first, second, third in zip(normal, quiet, again, strict=True):
        assert first is not None and second is not None
        assert first - second == pytest.approx(12, abs=0.7)
        assert third == pytest.approx(first, abs=0.3)
