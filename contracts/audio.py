"""Audio frames on the bus: raw samples in the payload, their place in the headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.base import Role

FRAME_MS = 100
"""Length of a frame, ms; the last one of a call may be shorter."""
START_HEADER = "Banxi-Start-Ms"
RATE_HEADER = "Banxi-Rate"


@dataclass(frozen=True, slots=True)
class Frame:
    """A stretch of one channel: signed 16-bit little-endian mono samples."""

    site: str
    call_id: str
    role: Role
    start_ms: int
    """Start on the call's audio clock, ms."""
    rate: int
    """Samples a second: 8000 or 16000."""
    pcm: bytes

    @property
    def end_ms(self) -> int:
        """End on the audio clock, ms."""
        return self.start_ms + len(self.pcm) // 2 * 1000 // self.rate

    def headers(self) -> dict[str, str]:
        """The NATS headers that say where the samples belong; the id makes a resend harmless."""
        return {
            START_HEADER: str(self.start_ms),
            RATE_HEADER: str(self.rate),
            "Nats-Msg-Id": f"{self.call_id}:{self.role}:{self.start_ms}:frame",
        }


def read_frame(
    site: str, call_id: str, role: Role, headers: Mapping[str, str] | None, payload: bytes
) -> Frame:
    """Read a frame. Raises ValueError with a reason where headers or length are wrong."""
    try:
        start = int((headers or {})[START_HEADER])
        rate = int((headers or {})[RATE_HEADER])
    except (KeyError, ValueError):
        raise ValueError(f"frame needs whole numbers in {START_HEADER} and {RATE_HEADER}") from None
    if rate not in (8000, 16000) or start < 0:
        raise ValueError("frame: rate must be 8000 or 16000, start not negative")
    if len(payload) % 2 or not payload:
        raise ValueError("frame: payload must be whole 16-bit samples")
    return Frame(site, call_id, role, start, rate, payload)
