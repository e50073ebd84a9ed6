"""Calls without sound: a script of who says what when becomes events on the bus.

The timeline is a pure function: it says what the services would publish of such a call, and when.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.base import ROLES, Event, Id, Producer, Role
from contracts.call import CallEnded, CallStarted
from contracts.events import why
from contracts.transcript import TranscriptFinal
from services.common.bus import Bus
from services.common.version import VERSION
from services.media.activity import Teller
from services.media.endpoint import Began, Finished
from tools.recordings import Hangup

STEP_MS = 100
ONSET_MS = 100
"""So long speech must last until it is known to have begun."""
PAUSE_MS = 600
"""So long a pause must last until speech is known to have ended."""
FINAL_MS = 400
"""So long the words take after the end of their speech is known."""

BY = Producer(name="script", version=VERSION)
Second = Annotated[float, Field(ge=0, le=24 * 3600)]


class ScriptError(RuntimeError):
    """A script cannot be played. The message is one sentence that names file and field."""


class Line(BaseModel):
    """One utterance; times in seconds of the call."""

    model_config = ConfigDict(frozen=True)

    role: Role
    start: Second
    end: Second
    text: str

    @model_validator(mode="after")
    def _lasts(self) -> Line:
        if self.end <= self.start:
            raise ValueError("end must come after start")
        return self


class Script(BaseModel):
    """A call: its lines and how it ends. Other fields of the file are ignored."""

    model_config = ConfigDict(frozen=True)

    agent_id: Id = "000"
    caller_number: Annotated[str, Field(max_length=32)] = "unknown"
    region: str | None = None
    script: tuple[Line, ...]
    hangup: Hangup = Hangup()

    @model_validator(mode="after")
    def _nobody_speaks_twice_at_once(self) -> Script:
        for role in ROLES:
            lines = self.lines(role)
            for before, after in itertools.pairwise(lines):
                if after.start < before.end:
                    raise ValueError(f"two lines of the {role} overlap at second {after.start:g}")
        return self

    def lines(self, role: Role) -> list[Line]:
        """What one side says, in order."""
        return sorted((line for line in self.script if line.role == role), key=lambda x: x.start)

    @property
    def end_ms(self) -> int:
        """The hang-up; where the script names none, a second after the last word."""
        if self.hangup.at is not None:
            return round(self.hangup.at * 1000)
        return round(max((line.end for line in self.script), default=0.0) * 1000) + 1000


@dataclass(frozen=True, slots=True)
class Step:
    """An event and when it is known, ms after the call was answered."""

    due_ms: int
    event: Event


@dataclass(frozen=True, slots=True)
class _Speech:
    """An utterance with the moments at which its start and its end are known."""

    role: Role
    start_ms: int
    end_ms: int
    text: str
    began_due_ms: int
    ended_due_ms: int

    def decided_ms(self, now_ms: int) -> int | None:
        """Where this utterance holds the decision back at `now_ms`; None where it does not."""
        if self.start_ms <= now_ms < self.began_due_ms:
            return self.start_ms
        if self.end_ms <= now_ms < self.ended_due_ms:
            return self.end_ms
        return None


def read_script(path: Path) -> Script:
    """Read a script. Raises ScriptError."""
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8"))
        return Script.model_validate(said)
    except ValidationError as error:
        raise ScriptError(f"{path}: {why(error)}") from None
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ScriptError(f"{path} is not JSON") from None


def timeline(script: Script, call_id: str, site: str) -> list[Step]:
    """Everything that is published of a scripted call, in the order and at the time it would be."""
    end_ms = script.end_ms
    speeches = [speech for role in ROLES for speech in _speeches(script.lines(role), end_ms)]
    decisions = sorted(
        [(s.began_due_ms, 1, s, Began(s.start_ms)) for s in speeches]
        + [(s.ended_due_ms, 0, s, Finished(s.start_ms, s.end_ms)) for s in speeches],
        key=lambda entry: (entry[0], entry[1], entry[2].start_ms),
    )
    steps = [Step(0, _started(script, call_id, site))]
    teller = Teller(call_id, site, STEP_MS)
    decided_ms = 0
    for now_ms in sorted({*range(0, end_ms, STEP_MS), end_ms, *(due for due, *_ in decisions)}):
        while decisions and decisions[0][0] <= now_ms:
            _, _, speech, decision = decisions.pop(0)
            steps += _at(now_ms, teller.tell(speech.role, decision, decided_ms))
        held_back = [held for s in speeches if (held := s.decided_ms(now_ms)) is not None]
        decided_ms = min([now_ms, *held_back])
        steps += _at(now_ms, teller.progress(decided_ms, at_once=now_ms == end_ms))
    steps += [Step(s.ended_due_ms + FINAL_MS, _final(s, call_id, site)) for s in speeches]
    hangup = CallEnded(call_id=call_id, site=site, at_ms=end_ms, ended_by=script.hangup.by)
    return sorted([*steps, Step(end_ms, hangup)], key=lambda step: step.due_ms)


async def perform(bus: Bus, steps: Sequence[Step], *, speed: float) -> None:
    """Publish a timeline at the pace of talk divided by `speed`; 0 = without waiting.

    Cancelled, it ends the call as lost, so that nobody waits for it.
    """
    loop = asyncio.get_running_loop()
    zero = loop.time()
    said_ms = 0
    try:
        for step in steps:
            if speed:
                await asyncio.sleep(max(0.0, zero + step.due_ms / 1000 / speed - loop.time()))
            await bus.publish(step.event)
            said_ms = step.due_ms
    except asyncio.CancelledError:
        first = steps[0].event
        lost = CallEnded(call_id=first.call_id, site=first.site, at_ms=said_ms, ended_by="lost")
        if not any(s.due_ms <= said_ms and isinstance(s.event, CallEnded) for s in steps):
            await bus.publish(lost)
        raise


def _speeches(lines: Sequence[Line], end_ms: int) -> list[_Speech]:
    """One side's utterances before the hang-up, with the moments at which they are known."""
    found = []
    for number, line in enumerate(lines):
        start, end = round(line.start * 1000), min(round(line.end * 1000), end_ms)
        if start >= end:
            continue
        ended_due = min(end + PAUSE_MS, end_ms)
        if number + 1 < len(lines):
            ended_due = min(ended_due, max(end, round(lines[number + 1].start * 1000)))
        began_due = min(start + ONSET_MS, end)
        found.append(_Speech(line.role, start, end, line.text, began_due, ended_due))
    return found


def _at(now_ms: int, events: Sequence[Event]) -> list[Step]:
    return [Step(now_ms, event) for event in events]


def _started(script: Script, call_id: str, site: str) -> CallStarted:
    return CallStarted(
        call_id=call_id,
        site=site,
        at_ms=0,
        agent_id=script.agent_id,
        caller_number=script.caller_number,
        region=script.region,
        pace="script",
    )


def _final(speech: _Speech, call_id: str, site: str) -> TranscriptFinal:
    return TranscriptFinal(
        call_id=call_id,
        site=site,
        at_ms=speech.start_ms,
        end_ms=speech.end_ms,
        role=speech.role,
        text=speech.text,
        heard=speech.text,
        by=BY,
    )
