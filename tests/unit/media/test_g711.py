"""G.711 against values of the recommendation, and there and back."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.door import Codec
from services.media.g711 import decode, encode

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("codec", "code", "value"),
    [
        ("alaw", 0xD5, 8),
        ("alaw", 0x55, -8),
        ("alaw", 0xAA, 32256),
        ("alaw", 0x2A, -32256),
        ("ulaw", 0xFF, 0),
        ("ulaw", 0x7F, 0),
        ("ulaw", 0x80, 32124),
        ("ulaw", 0x00, -32124),
        ("ulaw", 0xEF, 132),
    ],
)
def test_known_codes(codec: Codec, code: int, value: int) -> None:
    assert decode(codec, bytes([code])).tolist() == [value]


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_every_code_comes_back_as_itself_or_its_equal(codec: Codec) -> None:
    values = decode(codec, bytes(range(256)))
    assert decode(codec, encode(codec, values)).tolist() == values.tolist()


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_a_sample_is_sent_as_a_neighbour(codec: Codec) -> None:
    samples = np.arange(-32768, 32768, 7, dtype=np.int16)
    error = np.abs(decode(codec, encode(codec, samples)).astype(int) - samples)
    assert (error <= np.maximum(16, np.abs(samples.astype(int)) / 24)).all()


def test_plain_samples_are_little_endian() -> None:
    assert decode("pcm16le", b"\x01\x00\xff\xff").tolist() == [1, -1]
    assert encode("pcm16le", np.array([1, -1], dtype=np.int16)) == b"\x01\x00\xff\xff"
