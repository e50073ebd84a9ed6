"""What agents said in recorded calls: scripts in a folder, or the last calls of a running system.

A change of the rules is tried on them before it goes live (`banxi eval conduct --against`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts import subjects
from contracts.base import Event
from contracts.call import CallEnded
from contracts.transcript import TranscriptFinal
from services.common.bus import Bus
from services.common.kept import read_kept
from services.common.settings import ServiceSettings
from tools.connection import connected, token_of
from tools.scripted_calls import ScriptError, read_script


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance of an agent."""

    id: str
    """Call and time, ms on the audio clock: `call-7@12300`."""
    text: str
    """Its words."""
    prev: str
    """The agent's words before it, where they are near enough for a phrase to go on from there."""


def from_scripts(directory: Path, split_ms: int) -> list[Spoken]:
    """The agents' words of every script (`*.json`) of a folder. `split_ms`: how far apart two
    utterances may be that belong together. Raises ScriptError."""
    paths = sorted(directory.glob("*.json"))
    if not paths:
        raise ScriptError(f"{directory}: no .json of a call there")
    return [
        spoken
        for path in paths
        for spoken in _in_order(
            path.stem,
            (
                (round(line.start * 1000), round(line.end * 1000), line.text)
                for line in read_script(path).lines("agent")
            ),
            split_ms,
        )
    ]


async def from_calls(settings: ServiceSettings, count: int, split_ms: int) -> list[Spoken]:
    """The agents' words of the last `count` calls that ended, as the running system keeps them,
    oldest call first. Raises BusUnreachable, and what nats-py raises without our streams."""
    async with connected(settings.nats_url, token_of(settings)) as client:
        bus = Bus(client, site=settings.site, service="eval")
        ends = subjects.stored_call(settings.site, "*", CallEnded.event)
        last = deque([event.call_id async for event in read_kept(bus, ends)], maxlen=count)
        found: list[Spoken] = []
        for call_id in dict.fromkeys(last):
            finals = subjects.stored_call(settings.site, call_id, TranscriptFinal.event)
            kept = [event async for event in read_kept(bus, finals)]
            found += _in_order(call_id, _words(kept), split_ms)
    return found


def _words(events: Iterable[Event]) -> Iterator[tuple[int, int, str]]:
    for event in events:
        if isinstance(event, TranscriptFinal) and event.role == "agent":
            yield event.at_ms, event.end_ms, event.text


def _in_order(
    call_id: str, lines: Iterable[tuple[int, int, str]], split_ms: int
) -> Iterator[Spoken]:
    """Utterances (start and end in ms, words), each with the one before it."""
    before, before_end = "", 0
    # A second final of the same start takes the place of the first.
    for start, (end, text) in sorted({start: (end, text) for start, end, text in lines}.items()):
        if not text.strip():
            continue
        near = start - before_end <= split_ms
        yield Spoken(f"{call_id}@{start}", text, before if near else "")
        before, before_end = text, end
