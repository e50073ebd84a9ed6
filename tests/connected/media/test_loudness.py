"""How loud each side was, through the door: telephone codecs, and a connection that was lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from contracts.base import ROLES, Role
from contracts.speech import SpeechEnded
from services.common.bus import Bus
from services.media.g711 import encode
from tests.connected.media.exchange import Door, Exchange, running

pytestmark = pytest.mark.connected

VOICE = Path(__file__).parents[2] / "data" / "audio" / "test.wav"
RATE = 8000


def line() -> bytes:
    """A stereo A-law line: the agent says a sentence, then the caller the same, 12 dB quieter."""
    sound, rate = soundfile.read(VOICE, dtype="float64")
    said = (soxr.resample(sound, rate, RATE) * 32767).clip(-32768, 32767)
    nothing = np.zeros(len(said) + RATE)
    agent = np.concatenate([said, nothing])
    caller = np.concatenate([nothing, said / 4])
    return encode("alaw", np.stack([agent, caller], axis=1).astype(np.int16).reshape(-1))


async def say(exchange: Exchange, sound: bytes) -> None:
    """Send sound, a second a message."""
    for at in range(0, len(sound), 2 * RATE):
        await exchange.say(sound[at : at + 2 * RATE])


async def levels(door: Door, call_id: str) -> dict[Role, list[float | None]]:
    events = [e for e in await door.ended(call_id) if isinstance(e, SpeechEnded)]
    return {role: [e.level_db for e in events if e.role == role] for role in ROLES}


async def test_a_quiet_caller_is_heard_to_be_quiet_even_over_a_lost_connection(
    nats_url: str, bus: Bus
) -> None:
    sound, stop = line(), {"type": "stop", "by": "caller"}
    half = len(sound) // 2 + RATE  # half a second into the caller's words
    async with running(nats_url, bus) as door:
        async with door.socket() as first:
            await first.begin(door.start("lost", codec="alaw"))
            await say(first, sound[:half])
            await first.hear("ack")
            first.connection.transport.abort()
        async with door.socket() as second:
            at_ms = await second.begin(door.start("lost", codec="alaw", resume=True))
            await say(second, sound[at_ms * 2 * RATE // 1000 :])
            await second.say(stop)
            await second.closed()
        heard = await levels(door, "lost")
    assert heard["agent"] and len(heard["agent"]) == len(heard["caller"])
    for loud, quiet in zip(heard["agent"], heard["caller"], strict=True):
        assert loud is not None and quiet is not None
        assert loud - quiet == pytest.approx(12, abs=1)
