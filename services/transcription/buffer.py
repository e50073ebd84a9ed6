"""The last seconds of sound of every channel, bounded in time and in number of channels. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.base import Role

Samples = NDArray[np.int16]
"""Mono samples, 16-bit."""


class Channel(NamedTuple):
    """One leg of one call."""

    call_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of a channel without holes."""

    start_ms: int
    """Its place on the call's audio clock, ms."""
    rate: int
    """Samples a second."""
    samples: Samples

    @property
    def end_ms(self) -> int:
        """Its end on the audio clock, ms."""
        return self.start_ms + len(self.samples) * 1000 // self.rate

    @property
    def seconds(self) -> float:
        """Its length, s."""
        return len(self.samples) / self.rate

    def since(self, ms: int) -> Samples:
        """The samples from `ms` of the audio clock on."""
        return self.samples[max(0, ms - self.start_ms) * self.rate // 1000 :]


@dataclass(frozen=True, slots=True)
class _Chunk(Sound):
    heard_at: float = 0.0


class _Ring:
    """One channel: chunks in order of time, oldest dropped."""

    def __init__(self, rate: int, keep_ms: int) -> None:
        self.rate = rate
        self._keep_ms = keep_ms
        self._chunks: deque[_Chunk] = deque()

    @property
    def end_ms(self) -> int:
        return self._chunks[-1].end_ms if self._chunks else 0

    def add(self, chunk: _Chunk) -> None:
        """Add in order of time. A chunk whose time is already taken is a repetition: left out."""
        if not self._chunks or chunk.start_ms >= self._chunks[-1].start_ms:
            at = len(self._chunks)
        else:
            at = sum(1 for held in self._chunks if held.start_ms <= chunk.start_ms)
        if at > 0 and self._chunks[at - 1].start_ms == chunk.start_ms:
            return
        self._chunks.insert(at, chunk)
        while self._chunks[0].end_ms < self.end_ms - self._keep_ms:
            self._chunks.popleft()

    def span(self, start_ms: int, end_ms: int) -> Sound | None:
        """What is held of a span: from its first held sample to its last, holes as silence."""
        held = [c for c in self._chunks if c.end_ms > start_ms and c.start_ms < end_ms]
        if not held:
            return None
        start_ms = max(start_ms, held[0].start_ms)
        end_ms = min(end_ms, held[-1].end_ms)
        samples = np.zeros((end_ms - start_ms) * self.rate // 1000, dtype=np.int16)
        for chunk in held:
            offset = (chunk.start_ms - start_ms) * self.rate // 1000
            piece = chunk.samples[max(0, -offset) :]
            at = max(0, offset)
            room = samples[at : at + len(piece)]
            room[:] = piece[: len(room)]
        return Sound(start_ms, self.rate, samples)

    def heard_at(self, ms: int) -> float | None:
        return next((c.heard_at for c in self._chunks if c.end_ms >= ms), None)


class Memory:
    """Sound by channel. Holds the last `keep_ms` of each, and the `most` channels last heard."""

    def __init__(self, *, keep_ms: int = 40_000, most: int = 400) -> None:
        self._keep_ms = keep_ms
        self._most = most
        self._rings: OrderedDict[Channel, _Ring] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rings)

    def add(
        self, channel: Channel, start_ms: int, rate: int, pcm: bytes, heard_at: float = 0.0
    ) -> None:
        """Keep a frame of signed 16-bit little-endian samples that arrived at `heard_at`."""
        ring = self._rings.get(channel)
        if ring is None or ring.rate != rate:
            ring = self._rings[channel] = _Ring(rate, self._keep_ms)
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False)
        ring.add(_Chunk(start_ms, rate, samples, heard_at))
        self._rings.move_to_end(channel)
        while len(self._rings) > self._most:
            self._rings.popitem(last=False)

    def end_ms(self, channel: Channel) -> int:
        """Up to where a channel was heard, ms; 0 where it was not."""
        ring = self._rings.get(channel)
        return ring.end_ms if ring else 0

    def span(self, channel: Channel, start_ms: int, end_ms: int) -> Sound | None:
        """What is held of a span, clipped to what is there; None where nothing is."""
        ring = self._rings.get(channel)
        return ring.span(start_ms, end_ms) if ring else None

    def heard_at(self, channel: Channel, ms: int) -> float | None:
        """When the sound at `ms` arrived, on the clock given to `add`; None where it did not."""
        ring = self._rings.get(channel)
        return ring.heard_at(ms) if ring else None

    def forget(self, call_id: str) -> None:
        """Drop both legs of a call."""
        for channel in [held for held in self._rings if held.call_id == call_id]:
            del self._rings[channel]
