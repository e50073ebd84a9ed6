"""What the service makes of a call's events: every utterance that ended becomes one final."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from contracts.audio import FRAME_MS
from contracts.base import Event, Producer, Role
from contracts.call import CallEnded, CallStarted
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal, TranscriptPartial
from services.common.bus import Bus
from services.common.calls import Happening, Outcome
from services.common.version import VERSION
from services.transcription.buffer import Channel
from services.transcription.ears import Ears
from services.transcription.engine import producer
from services.transcription.lexicon import Lexicon
from services.transcription.recogniser import Recogniser

BEFORE_MS = 200
AFTER_MS = 200
"""Sound added around an utterance: voice activity cuts soft beginnings and ends. Long utterances
are cut at pauses of 200 ms, so that no more may be added after one."""
NO_SOUND = Producer(name="no-sound", version=VERSION)
"""Made a final of whose utterance too little sound could be had: it was not decoded."""
ENOUGH = 0.5
"""Share of an utterance whose sound must be there to decode it."""


@dataclass(frozen=True, slots=True)
class CallState:
    """What must be known of a call: where each channel's last utterance ended."""

    call_id: str
    site: str
    without_sound: bool = False
    """A scripted call: its words come with it."""
    spoken_until: Mapping[Role, int] = field(default_factory=dict)
    """End of the last utterance, ms."""


class TranscriptionHandler:
    """Turns `speech.ended` into `transcript.final`.

    What it tells the recogniser and the ears (an utterance is open, a call is over) may be told
    again when a state is rebuilt, and is then without effect.
    """

    def __init__(
        self, ears: Ears, recogniser: Recogniser, lexicon: Lexicon, log: logging.Logger
    ) -> None:
        self._ears = ears
        self._recogniser = recogniser
        self._lexicon = lexicon
        self._log = log

    def open(self, call_id: str, site: str) -> CallState:
        """A call of which nothing is known."""
        return CallState(call_id, site)

    async def handle(self, state: CallState, happening: Happening) -> Outcome[CallState]:
        """Fold one event; for an ended utterance its final comes later."""
        match happening:
            case CallStarted():
                return Outcome(replace(state, without_sound=happening.pace == "script"))
            case SpeechStarted() if not state.without_sound:
                channel = Channel(state.call_id, happening.role)
                self._recogniser.opened(channel, happening.at_ms, _from_ms(state, happening))
            case SpeechEnded() if not state.without_sound:
                self._recogniser.closed(Channel(state.call_id, happening.role))
                later = self._final(happening, _from_ms(state, happening))
                spoken = {**state.spoken_until, happening.role: happening.end_ms}
                return Outcome(replace(state, spoken_until=spoken), later=later)
            case CallEnded():
                self._ears.over(state.call_id)
            case _:
                pass
        return Outcome(state)

    def let_go(self, call_id: str) -> None:
        """The call is over, or another replica's, which makes its partials from now on."""
        self._recogniser.forget(call_id)
        self._ears.forget(call_id)

    async def _final(self, ended: SpeechEnded, from_ms: int) -> Sequence[Event]:
        channel = Channel(ended.call_id, ended.role)
        sound = await self._ears.span(channel, from_ms, ended.end_ms + AFTER_MS)
        missing_ms = ended.end_ms - ended.at_ms
        if sound is not None:
            missing_ms = max(0, sound.start_ms - ended.at_ms) + max(0, ended.end_ms - sound.end_ms)
        if missing_ms >= FRAME_MS:
            self._log.warning(
                "sound of an utterance is missing",
                extra={"call": ended.call_id, "missing_ms": missing_ms},
            )
        heard, by = "", NO_SOUND
        confidence = None
        if sound is not None and missing_ms <= (1 - ENOUGH) * (ended.end_ms - ended.at_ms):
            decoded = await self._recogniser.final(channel, sound, ended.end_ms)
            heard, confidence = decoded.text, decoded.confidence
            by = producer(self._recogniser.engine.model)
        text, corrections = self._lexicon.correct(heard)
        return [
            TranscriptFinal(
                call_id=ended.call_id,
                site=ended.site,
                at_ms=ended.at_ms,
                role=ended.role,
                end_ms=ended.end_ms,
                text=text,
                heard=heard,
                corrections=corrections,
                confidence=confidence,
                by=by,
            )
        ]

    async def publish_partial(
        self, bus: Bus, channel: Channel, at_ms: int, until_ms: int, words: str
    ) -> None:
        """Tell the site what the utterance begun at `at_ms` sounds like so far."""
        await bus.publish_live(
            TranscriptPartial(
                call_id=channel.call_id,
                site=bus.site,
                at_ms=at_ms,
                role=channel.role,
                end_ms=until_ms,
                text=self._lexicon.correct(words)[0],
            )
        )


def _from_ms(state: CallState, speech: SpeechStarted | SpeechEnded) -> int:
    """Where the sound of an utterance is taken from: a little before, not inside the last one."""
    return max(speech.at_ms - BEFORE_MS, state.spoken_until.get(speech.role, 0), 0)
