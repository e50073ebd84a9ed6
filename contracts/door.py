"""The audio door's messages: what a telephone exchange says and hears on `/v1/audio`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.base import Contract, Id, Role

MAX_MESSAGE_BYTES = 64 * 1024
"""The largest binary message of audio."""
LIVE_LEAD_MS = 5_000
"""How far a sender that says `pace: live` may run ahead of the wall clock, ms."""

Codec = Literal["pcm16le", "alaw", "ulaw"]


class Start(Contract):
    """First message of a socket: what comes."""

    type: Literal["start"]
    """Always `start`."""
    protocol: Literal[1]
    """Version of the door."""
    call_id: Id
    """The call; new, unless `resume` or the other leg of the same call."""
    site: Id
    """The site."""
    agent_id: Id
    """工号 of the agent."""
    caller_number: Annotated[str, Field(max_length=32)]
    """The calling number."""
    region: str | None = None
    """Region, where the exchange knows it."""
    codec: Codec
    """Sample format."""
    rate: Literal[8000, 16000]
    """Samples a second and channel."""
    layout: Literal["stereo", "mono"]
    """`stereo`: both legs interleaved on this socket; `mono`: one leg a socket."""
    left: Role | None = None
    """Stereo: whose channel comes first."""
    role: Role | None = None
    """Mono: whose leg this is."""
    pace: Literal["live", "replay"] = "live"
    """`live`: samples come as they are spoken; `replay`: as fast as the server reads."""
    resume: bool = False
    """Go on after a lost connection, from the server's `received_ms`."""

    @model_validator(mode="after")
    def _layout_names_its_channels(self) -> Start:
        if self.layout == "stereo" and self.left is None:
            raise ValueError("layout stereo needs left: agent or caller")
        if self.layout == "mono" and self.role is None:
            raise ValueError("layout mono needs role: agent or caller")
        return self


class Stop(Contract):
    """Last message of a socket: the call is over."""

    type: Literal["stop"]
    """Always `stop`."""
    by: Literal["agent", "caller", "transfer", "unknown"] = "unknown"
    """Who hung up."""


class Started(Contract):
    """The server's answer to `start`."""

    type: Literal["started"] = "started"
    """Always `started`."""
    received_ms: int
    """Audio received so far, ms: 0, or where a resumed sender goes on."""


class Ack(Contract):
    """Sent every second."""

    type: Literal["ack"] = "ack"
    """Always `ack`."""
    received_ms: int
    """Audio received so far, ms."""


class DoorError(Contract):
    """Sent before the server closes a socket that broke the rules."""

    type: Literal["error"] = "error"
    """Always `error`."""
    code: str
    """Short machine-readable code."""
    message: str
    """One sentence that says what to do."""
    field: str | None = None
    """The field of `start` that is wrong, where it is one."""
