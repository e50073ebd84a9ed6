"""The fold: a call's kept events in, what conduct has to say out. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from contracts.base import Event
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal
from services.common.calls import Happening, Outcome
from services.conduct import (
    bounds,
    forbidden,
    hold,
    interruption,
    required,
    silence,
    silent_caller,
)
from services.conduct.call import Call, Words
from services.conduct.notices import Notices
from services.conduct.phrases import PhraseBook
from services.conduct.waiting import Marks, WaitingBook

Step = tuple[Call, list[Event]]
MAX_TEXT = 1000
"""Characters of an utterance that are judged; nobody says more in one breath."""
# Holds before silences: whether a silence was announced follows from them.
RULES: tuple[Callable[[Call, Notices], Step], ...] = (
    hold.judge,
    silent_caller.judge,
    silence.judge,
    interruption.judge,
    bounds.judge_opening,
    bounds.judge_ending,
)


class ConductHandler:
    """Judges the agent's conduct, call by call."""

    def __init__(self, phrases: PhraseBook, waiting: WaitingBook) -> None:
        self._phrases = phrases
        self._notices = Notices(waiting, phrases.version)

    def open(self, call_id: str, site: str) -> Call:
        """A call of which nothing has happened yet."""
        return Call(call_id, site)

    async def handle(self, state: Call, happening: Happening) -> Outcome[Call]:
        """Fold one event in and say what follows from it."""
        if isinstance(happening, TranscriptFinal) and happening.role == "agent":
            # Looking for every phrase takes up to a tenth of a second, too long for the loop.
            call, events = await asyncio.to_thread(self.fold, state, happening)
        else:
            call, events = self.fold(state, happening)
        return Outcome(call, events)

    def fold(self, call: Call, happening: Happening) -> Step:
        """As `handle`, for callers without an event loop."""
        match happening:
            case CallStarted():
                call = replace(call, started_id=happening.event_id)
                return required.judge(call, self._notices)
            case CallProgressed():
                now = happening.audio_ms
                return self._run(_clock(call, now, decided=True))
            case SpeechStarted():
                # What fell due before this voice is judged without it.
                call, events = self._run(_clock(call, happening.at_ms))
                channel = call.channel(happening.role)
                channel = channel.began(happening.at_ms, happening.continues, happening.event_id)
                return self._run(call.with_channel(channel), events)
            case SpeechEnded():
                channel = call.channel(happening.role)
                channel = channel.stopped(happening.at_ms, happening.end_ms, happening.event_id)
                call = call.with_channel(channel)
                return self._run(_clock(call, happening.end_ms, decided=True))
            case TranscriptFinal():
                return self._heard(call, happening)
            case CallEnded():
                return self._ended(call, happening)
            case Event():
                return call, []
            case _:
                return self._run(replace(call, settled=True))

    def _run(self, call: Call, before: list[Event] | None = None) -> Step:
        events = list(before or ())
        for judge in RULES:
            call, said = judge(call, self._notices)
            events += said
        return call, events

    def _heard(self, call: Call, final: TranscriptFinal) -> Step:
        agents = final.role == "agent"
        text = final.text.strip()[:MAX_TEXT]
        words = Words(
            start=final.at_ms,
            end=max(final.at_ms, final.end_ms),
            text=text,
            event_id=final.event_id,
            marks=self._notices.waiting.marks(text) if agents else Marks(),
        )
        channel = call.channel(final.role)
        if words in channel.words:
            return call, []
        call = call.with_channel(channel.said(words))
        events: list[Event] = []
        if agents and text:
            call, events = forbidden.judge(call, self._phrases, self._notices, words)
        call, said = required.judge(call, self._notices, words if agents else None)
        return self._run(call, events + said)

    def _ended(self, call: Call, ended: CallEnded) -> Step:
        if call.over:
            return call, []
        call, events = self._run(_clock(call, ended.at_ms, decided=True))
        call = replace(call, ended_at=ended.at_ms, ended_by=ended.ended_by, ended_id=ended.event_id)
        return self._run(call, events + bounds.judge_hang_up(call, self._notices))


def _clock(call: Call, now: int, *, decided: bool = False) -> Call:
    """Time passes, never backwards and not beyond the hang-up."""
    if call.over:
        return call
    return replace(
        call,
        clock=max(call.clock, now),
        decided=max(call.decided, now) if decided else call.decided,
    )
