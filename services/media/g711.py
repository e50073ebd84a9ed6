"""G.711: the sample formats of telephone lines, by table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contracts.door import Codec

Samples = NDArray[np.int16]

BYTES_A_SAMPLE: dict[Codec, int] = {"pcm16le": 2, "alaw": 1, "ulaw": 1}
"""Bytes one sample of one channel takes."""


def _alaw_table() -> Samples:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << exponent >> 1)
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _ulaw_table() -> Samples:
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


_TABLES: dict[Codec, Samples] = {"alaw": _alaw_table(), "ulaw": _ulaw_table()}


def decode(codec: Codec, data: bytes) -> Samples:
    """Bytes of the line → 16-bit samples. `data` must hold whole samples."""
    if codec == "pcm16le":
        return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False)
    return _TABLES[codec][np.frombuffer(data, dtype=np.uint8)]


def encode(codec: Codec, samples: Samples) -> bytes:
    """16-bit samples → bytes of the line, each sample to the nearest value the format has."""
    if codec == "pcm16le":
        return samples.astype("<i2").tobytes()
    table = _TABLES[codec].astype(np.int32)
    order = np.argsort(table, kind="stable")
    values = table[order]
    middles = (values[1:] + values[:-1]) / 2
    return order[np.searchsorted(middles, samples)].astype(np.uint8).tobytes()
