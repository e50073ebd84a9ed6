"""The fold: a call's kept events in, what conduct has to say out. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from contracts.base import Event
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal
from services.common.calls import Happening, Outcome
from services.common.vectors import Embeds, Vector
from services.conduct.books import Rules
from services.conduct.call import Call
from services.conduct.channel import Words
from services.conduct.checklist import required
from services.conduct.manners import acknowledging, pace, repeating, tics
from services.conduct.notices import Notices
from services.conduct.phrases import forbidden
from services.conduct.phrases.notices import PhraseNotices
from services.conduct.scoring import score
from services.conduct.turns import bounds, hang_up, interruption, overlap
from services.conduct.waits import after_hold, hold, silence, silent_caller, unannounced, unattended

Step = tuple[Call, list[Event]]
MAX_TEXT = 1000
"""Characters of an utterance that are judged; nobody says more in one breath."""
# Holds before silences: whether a silence was announced follows from them.
RULES: tuple[Callable[[Call, Notices], Step], ...] = (
    hold.judge,
    silent_caller.judge,
    silence.judge,
    after_hold.judge,
    unannounced.judge,
    unattended.judge,
    interruption.judge,
    overlap.judge,
    pace.judge,
    tics.judge,
    acknowledging.judge,
    repeating.judge,
    hang_up.judge,
    bounds.judge_opening,
    bounds.judge_ending,
    required.judge,
)


class ConductHandler:
    """Judges the agent's conduct, call by call."""

    def __init__(self, rules: Rules, embedder: Embeds | None = None) -> None:
        self._embedder = embedder
        self._detector = rules.detector
        self._phrases = PhraseNotices(rules.phrases.version)
        self._scale = rules.score
        self._notices = Notices(rules.waiting, rules.required, rules.manner)

    def open(self, call_id: str, site: str) -> Call:
        """A call of which nothing has happened yet."""
        return Call(call_id, site)

    async def handle(self, state: Call, happening: Happening) -> Outcome[Call]:
        """Fold one event in and say what follows from it. What an agent said is looked through
        beside the calls: its vector has to be asked for."""
        if not isinstance(happening, TranscriptFinal):
            return Outcome(*self._advance(state, happening))
        call, events = await asyncio.to_thread(self._advance, state, happening)
        heard = self._new(state, call, happening)
        later = self._look(call, heard) if heard else None
        return Outcome(call, events, later, in_turn=True)

    def fold(self, call: Call, happening: Happening) -> Step:
        """As `handle`, by words alone, for callers without an event loop."""
        after, events = self._advance(call, happening)
        if isinstance(happening, TranscriptFinal) and (heard := self._new(call, after, happening)):
            events = events + self._found(after, heard, None)
        return after, events

    def _new(self, before: Call, after: Call, final: TranscriptFinal) -> Words | None:
        """What the agent has said with this final, where it was not known before."""
        if final.role != "agent" or after.agent is before.agent:
            return None
        return next((w for w in after.agent.words if w.event_id == final.event_id and w.text), None)

    async def _look(self, call: Call, heard: Words) -> Sequence[Event]:
        vectors = await self._embedder.vectors([heard.text]) if self._embedder else None
        return await asyncio.to_thread(self._found, call, heard, vectors[0] if vectors else None)

    def _found(self, call: Call, heard: Words, vector: Vector | None) -> list[Event]:
        before = forbidden.previous(call, heard, self._notices.times.ms("split_s"))
        hits = self._detector.hits(heard.text, before.text if before else "", vector)
        return forbidden.judge(call, hits, self._phrases, heard, before)

    def _advance(self, call: Call, happening: Happening) -> Step:
        match happening:
            case CallStarted():
                call = replace(call, started_id=happening.event_id)
                return required.started(call, self._notices)
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
                facts, events = score.judge(call.score, happening, self._scale)
                call, said = forbidden.remember(call, happening, self._phrases)
                return replace(call, score=facts), events + said
            case _:
                call, events = forbidden.forget(call, self._phrases)
                return self._run(replace(call, settled=True), events)

    def _run(self, call: Call, before: list[Event] | None = None) -> Step:
        events = list(before or ())
        for judge in RULES:
            call, said = judge(call, self._notices)
            events += said
        return call, events

    def _heard(self, call: Call, final: TranscriptFinal) -> Step:
        text = final.text.strip()[:MAX_TEXT]
        words = Words(
            start=final.at_ms,
            end=max(final.at_ms, final.end_ms),
            text=text,
            event_id=final.event_id,
            marks=replace(
                self._notices.waiting.marks(final.role, text),
                signs=self._notices.required.signs(final.role, text),
            ),
            manner=self._notices.manner.of(final.role, text),
        )
        channel = call.channel(final.role)
        if words in channel.words:
            return call, []
        call = call.with_channel(channel.said(words))
        call, said = required.heard(call, self._notices, words, final.role)
        events: list[Event] = []
        if final.role == "agent":
            call, events = forbidden.forget(call, self._phrases, before=final.at_ms)
        return self._run(call, events + said)

    def _ended(self, call: Call, ended: CallEnded) -> Step:
        if call.over:
            return call, []
        call, events = self._run(_clock(call, ended.at_ms, decided=True))
        call = replace(call, ended_at=ended.at_ms, ended_by=ended.ended_by, ended_id=ended.event_id)
        return self._run(call, events)


def _clock(call: Call, now: int, *, decided: bool = False) -> Call:
    """Time passes, never backwards and not beyond the hang-up."""
    if call.over:
        return call
    return replace(
        call,
        clock=max(call.clock, now),
        decided=max(call.decided, now) if decided else call.decided,
    )
