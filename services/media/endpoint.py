"""Where utterances begin and end: one channel's speech probabilities in, decisions out.

Pure: time is the number of chunks heard. A decision is made late (an onset must last, a pause must
be long enough) and dated back to where it really was; `decided_ms` says up to where nothing can
change any more, so that the call's clock never runs ahead of a decision still to come.
"""

from __future__ import annotations

from dataclasses import dataclass

CHUNK_MS = 32
"""Length of what one probability stands for, ms."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When sound counts as speech. Times in ms; the figures are explained in `settings.py`."""

    threshold: float = 0.5
    low_threshold: float = 0.3
    min_speech_ms: int = 96
    pause_ms: int = 600
    long_ms: int = 8_000
    long_pause_ms: int = 200
    longest_ms: int = 25_000
    hangover_ms: int = 64
    """How long the model holds on after the voice; not a setting, since it is the model's own."""


@dataclass(frozen=True, slots=True)
class Began:
    """Speech began at `at_ms`; `continues` where it goes on after a cut of a long utterance."""

    at_ms: int
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Speech that began at `at_ms` ended at `end_ms`."""

    at_ms: int
    end_ms: int


Decision = Began | Finished


class Endpointer:
    """The utterances of one channel, chunk by chunk."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._now_ms = 0
        self._onset_ms: int | None = None
        """Start of sound that may become speech."""
        self._voiced_ms = 0
        """How much of that sound is clearly voice."""
        self._speech_ms: int | None = None
        """Start of the speech going on."""
        self._tail_ms: int | None = None
        """Start of a pause that may become the end."""
        self._was_cut_at_ms: int | None = None
        """End of the last utterance, where it was cut for its length."""

    @property
    def decided_ms(self) -> int:
        """Up to where it is settled whether this channel speaks, ms. Never falls."""
        if self._speech_ms is not None:
            tentative = self._now_ms if self._tail_ms is None else self._tail_ms
            return max(self._speech_ms, tentative - self._rules.hangover_ms)
        return self._now_ms if self._onset_ms is None else self._onset_ms

    def hear(self, probability: float) -> list[Decision]:
        """The next chunk's probability of speech; what it decides, usually nothing."""
        chunk_ms = self._now_ms
        self._now_ms += CHUNK_MS
        if self._speech_ms is None:
            return self._hear_in_silence(chunk_ms, probability)
        return self._hear_in_speech(self._speech_ms, chunk_ms, probability)

    def finish(self, end_ms: int) -> list[Decision]:
        """The call ends at `end_ms`: close what is open. An onset that was not sure is dropped."""
        if self._speech_ms is None:
            return []
        end = end_ms if self._tail_ms is None else self._ended_at(self._speech_ms, self._tail_ms)
        return [self._end(self._speech_ms, min(end, end_ms))]

    def _hear_in_silence(self, chunk_ms: int, probability: float) -> list[Decision]:
        rules = self._rules
        if probability < rules.low_threshold:
            self._onset_ms, self._voiced_ms = None, 0
            return []
        if self._onset_ms is None:
            self._onset_ms = chunk_ms
        if probability >= rules.threshold:
            self._voiced_ms += CHUNK_MS
        if self._voiced_ms < rules.min_speech_ms:
            return []
        return [self._begin(self._onset_ms)]

    def _hear_in_speech(self, start_ms: int, chunk_ms: int, probability: float) -> list[Decision]:
        rules = self._rules
        if probability >= rules.threshold:
            self._tail_ms = None
        elif probability < rules.low_threshold and self._tail_ms is None:
            self._tail_ms = chunk_ms
        too_long = self._now_ms - start_ms >= rules.longest_ms
        if self._tail_ms is not None:
            end_ms = self._ended_at(start_ms, self._tail_ms)
            is_long = end_ms - start_ms >= rules.long_ms
            pause_ms = rules.long_pause_ms if is_long else rules.pause_ms
            if too_long or self._now_ms - end_ms >= pause_ms:
                return [self._end(start_ms, end_ms, was_cut=is_long)]
        elif too_long:
            cut_ms = self._now_ms - rules.hangover_ms
            return [self._end(start_ms, cut_ms, was_cut=True), self._begin(cut_ms)]
        return []

    def _ended_at(self, start_ms: int, tail_ms: int) -> int:
        """The model holds on for a moment after the voice: the end lies before the tail."""
        return max(start_ms + CHUNK_MS, tail_ms - self._rules.hangover_ms)

    def _begin(self, at_ms: int) -> Began:
        cut_ms = self._was_cut_at_ms
        self._speech_ms, self._tail_ms = at_ms, None
        self._onset_ms, self._voiced_ms, self._was_cut_at_ms = None, 0, None
        return Began(at_ms, cut_ms is not None and at_ms - cut_ms <= self._rules.pause_ms)

    def _end(self, start_ms: int, end_ms: int, *, was_cut: bool = False) -> Finished:
        self._speech_ms = self._tail_ms = None
        self._was_cut_at_ms = end_ms if was_cut else None
        return Finished(start_ms, end_ms)
