"""A call's voice activity as a story: what both channels hear in, events out, in order.

Pure. Whatever order and pace the two channels are heard in, a `progressed` never passes a
`speech.started` or `speech.ended` that is still to come.
"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.base import ROLES, Event, Role
from contracts.call import CallProgressed
from contracts.speech import SpeechEnded, SpeechStarted
from services.media.clock import Clock
from services.media.endpoint import CHUNK_MS, Began, Decision, Endpointer, Finished, Rules
from services.media.loudness import Chunk, Loudness


class Teller:
    """Turns decisions into events, with the clock told where it has to be."""

    def __init__(self, call_id: str, site: str, step_ms: int) -> None:
        self._call_id = call_id
        self._site = site
        self._clock = Clock(step_ms)

    def tell(
        self, role: Role, decision: Decision, decided_ms: int, level_db: float | None = None
    ) -> list[Event]:
        """What a decision says; `decided_ms` is what both channels were decided to before it,
        `level_db` how loud the utterance was that has ended, where that was measured.

        Timers that were due before the decision's moment must not be overtaken by it: where the
        clock is told at all, it is told up to there first.
        """
        if isinstance(decision, Began):
            events = self.progress(min(decided_ms, decision.at_ms), at_once=True)
            self._clock.began(role, decision.at_ms)
            started = SpeechStarted(
                call_id=self._call_id,
                site=self._site,
                at_ms=decision.at_ms,
                role=role,
                continues=decision.continues,
            )
            return [*events, started]
        events = self.progress(min(decided_ms, decision.end_ms), at_once=True)
        self._clock.finished(role, decision.end_ms)
        ended = SpeechEnded(
            call_id=self._call_id,
            site=self._site,
            at_ms=decision.at_ms,
            end_ms=decision.end_ms,
            role=role,
            level_db=level_db,
        )
        return [*events, ended]

    def progress(self, decided_ms: int, *, at_once: bool = False) -> list[Event]:
        """Both channels are decided up to `decided_ms`: `progressed`, where it should be told."""
        at_ms = self._clock.progress(decided_ms, at_once=at_once)
        if at_ms is None:
            return []
        return [CallProgressed(call_id=self._call_id, site=self._site, at_ms=at_ms, audio_ms=at_ms)]


class Activity:
    """Voice activity of one call."""

    def __init__(self, call_id: str, site: str, rules: Rules) -> None:
        self._teller = Teller(call_id, site, CHUNK_MS)
        self._channels: dict[Role, Endpointer] = {role: Endpointer(rules) for role in ROLES}
        self._loudness: dict[Role, Loudness] = {role: Loudness(rules) for role in ROLES}

    @property
    def decided_ms(self) -> int:
        """Up to where both channels are decided, ms."""
        return min(channel.decided_ms for channel in self._channels.values())

    def hear(self, role: Role, chunks: Sequence[Chunk]) -> list[Event]:
        """The next chunks of one channel; the events they decide, in the order to publish them."""
        events: list[Event] = []
        for chunk in chunks:
            before_ms = self.decided_ms
            self._loudness[role].hear(chunk)
            for decision in self._channels[role].hear(chunk.probability):
                events += self._tell(role, decision, before_ms)
            events += self._teller.progress(self.decided_ms)
        return events

    def finish(self, end_ms: int) -> list[Event]:
        """The call ended at `end_ms`: what is still open is closed, the clock told a last time."""
        events: list[Event] = []
        before_ms = self.decided_ms
        for role, channel in self._channels.items():
            for decision in channel.finish(end_ms):
                events += self._tell(role, decision, before_ms)
        return events + self._teller.progress(end_ms, at_once=True)

    def _tell(self, role: Role, decision: Decision, before_ms: int) -> list[Event]:
        level_db = None
        if isinstance(decision, Finished):
            level_db = self._loudness[role].level_db(decision.at_ms, decision.end_ms)
        return self._teller.tell(role, decision, before_ms, level_db)
