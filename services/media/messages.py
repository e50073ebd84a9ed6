"""Reading what a sender says: the first message, the later ones, the audio. Pure."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contracts.base import Role
from contracts.door import MAX_MESSAGE_BYTES, Start, Stop
from services.media.g711 import BYTES_A_SAMPLE, Samples, decode
from services.media.refusal import Refusal

OTHER: dict[Role, Role] = {"agent": "caller", "caller": "agent"}


def roles_of(start: Start) -> tuple[Role, ...]:
    """The channels a socket carries, in the order of its samples."""
    if start.layout == "mono":
        assert start.role
        return (start.role,)
    assert start.left
    return (start.left, OTHER[start.left])


def read_start(text: str | None) -> Start:
    """The first message of a socket; None stands for a binary one."""
    if text is None:
        raise Refusal("not_started", "send a start message before audio")
    said = _object(text)
    if said.get("type") != "start":
        raise Refusal("not_started", "the first message must be of type start", "type")
    try:
        return Start.model_validate(said)
    except ValidationError as error:
        raise _start_refusal(
            said, error.errors(include_input=False, include_url=False)[0]
        ) from None


def read_later(text: str) -> Stop:
    """A text message after `start`: only `stop` may come."""
    said = _object(text)
    if said.get("type") == "start":
        raise Refusal("already_started", "this socket has started already: open another one")
    if said.get("type") != "stop":
        raise Refusal("unknown_type", "after start only audio and stop may come", "type")
    try:
        return Stop.model_validate(said)
    except ValidationError:
        raise Refusal("bad_field", "by: must be agent, caller, transfer or unknown", "by") from None


def read_audio(start: Start, data: bytes) -> dict[Role, Samples]:
    """A binary message: the samples of each channel it carries."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise Refusal(
            "too_large", f"an audio message may hold {MAX_MESSAGE_BYTES} bytes: send shorter ones"
        )
    roles = roles_of(start)
    unit = BYTES_A_SAMPLE[start.codec] * len(roles)
    if len(data) % unit:
        raise Refusal(
            "odd_length", f"an audio message must hold whole samples: a multiple of {unit} bytes"
        )
    samples = decode(start.codec, data)
    return {role: samples[number :: len(roles)] for number, role in enumerate(roles)}


def _object(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Refusal("bad_json", "a text message must be one JSON object")
    return said


def _start_refusal(said: dict[str, Any], first: ErrorDetails) -> Refusal:
    if not first["loc"]:  # the layout's own channel is not named
        field = "left" if said.get("layout") == "stereo" else "role"
        return Refusal("missing_field", f"{field}: needed with this layout", field)
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return Refusal("missing_field", f"{field}: is needed in start", field)
    if first["type"] == "string_pattern_mismatch":
        reason = "may hold letters, digits, - and _ only, 1 to 64 of them"
    else:
        reason = first["msg"].lower()
    return Refusal("bad_field", f"{field}: {reason}", field)
