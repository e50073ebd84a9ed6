"""The subject grammar of the bus, in one place. Nobody else writes a subject by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from contracts.base import ID_PATTERN, ROLES, Event, Role

ROOT = "banxi.v1"
PARTITIONS = 16
"""Number of partitions of the kept stream; the server computes which, from the call id."""

# What publishers and plain subscribers use:
CALL = ROOT + ".{site}.call.{call_id}.{event}"
LIVE = ROOT + ".{site}.live.{call_id}.{event}"
AUDIO = ROOT + ".{site}.audio.{call_id}.{role}"
COMMAND = ROOT + ".{site}.cmd.{service}.{verb}"
DEAD = ROOT + ".{site}.dead.{service}"
NEWS = ROOT + ".{site}.news.{event}"

# What the kept stream stores, by the server's subject transform:
STORED = ROOT + ".{site}.call.{partition}.{call_id}.{event}"

_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether `text` may stand as a site or a call id."""
    return bool(_ID.fullmatch(text))


def call(event: Event) -> str:
    """The subject a kept event is published on."""
    return CALL.format(site=event.site, call_id=event.call_id, event=event.event)


def live(event: Event) -> str:
    """The subject of an event that may be lost."""
    return LIVE.format(site=event.site, call_id=event.call_id, event=event.event)


def audio(site: str, call_id: str, role: Role) -> str:
    """The subject of one channel's audio frames."""
    return AUDIO.format(site=site, call_id=call_id, role=role)


def audio_filter(site: str) -> str:
    """Filter for the audio frames of all calls of a site."""
    return AUDIO.format(site=site, call_id="*", role="*")


def command(site: str, service: str, verb: str) -> str:
    """The subject of a request."""
    return COMMAND.format(site=site, service=service, verb=verb)


def dead(site: str, service: str) -> str:
    """Where a service keeps aside what it could not read."""
    return DEAD.format(site=site, service=service)


def news(site: str, event: str) -> str:
    """The subject of news that belong to no call; they may be lost."""
    return NEWS.format(site=site, event=event)


def stored_partition(site: str, partition: int) -> str:
    """Filter for one partition of the kept stream."""
    return STORED.format(site=site, partition=partition, call_id="*", event=">")


def stored_call(site: str, call_id: str, event: str = ">") -> str:
    """Filter for one call's kept events in any partition."""
    return STORED.format(site=site, partition="*", call_id=call_id, event=event)


@dataclass(frozen=True, slots=True)
class CallSubject:
    """A subject of the kept stream, taken apart."""

    site: str
    call_id: str
    event: str


def parse_stored(subject: str) -> CallSubject | None:
    """Take a stored subject apart; None where it is none of ours.

    `banxi.v1.main.call.7.c1.speech.started` → site `main`, call `c1`, event `speech.started`.
    """
    tokens = subject.split(".")
    if len(tokens) < 7 or tokens[:2] != ["banxi", "v1"] or tokens[3] != "call":
        return None
    if not is_id(tokens[2]) or not tokens[4].isdigit() or not is_id(tokens[5]):
        return None
    return CallSubject(tokens[2], tokens[5], ".".join(tokens[6:]))


def parse_live(subject: str) -> CallSubject | None:
    """Take a live subject apart; None where it is none of ours."""
    tokens = subject.split(".")
    if len(tokens) < 6 or tokens[:2] != ["banxi", "v1"] or tokens[3] != "live":
        return None
    if not is_id(tokens[2]) or not is_id(tokens[4]):
        return None
    return CallSubject(tokens[2], tokens[4], ".".join(tokens[5:]))


@dataclass(frozen=True, slots=True)
class AudioSubject:
    """A subject of the audio stream, taken apart."""

    site: str
    call_id: str
    role: Role


def parse_audio(subject: str) -> AudioSubject | None:
    """Take an audio subject apart; None where it is none of ours.

    `banxi.v1.main.audio.c1.caller` → site `main`, call `c1`, role `caller`.
    """
    tokens = subject.split(".")
    if len(tokens) != 6 or tokens[:2] != ["banxi", "v1"] or tokens[3] != "audio":
        return None
    if not is_id(tokens[2]) or not is_id(tokens[4]):
        return None
    role = next((role for role in ROLES if role == tokens[5]), None)
    return None if role is None else AudioSubject(tokens[2], tokens[4], role)
