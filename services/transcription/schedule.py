"""What is decoded next: finals first, in order; partials only while nothing else waits. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

from services.transcription.buffer import Channel

MOST_PARTIALS = 16
LONGEST_MS = 12_000
"""An utterance open for longer gets no more partials: each would cost more than the last."""


@dataclass(frozen=True, slots=True)
class FinalWork:
    """Decode a finished utterance."""

    channel: Channel
    ticket: int
    """The number `final_due` was given for it."""


@dataclass(frozen=True, slots=True)
class PartialWork:
    """Decode what there is of an open utterance."""

    channel: Channel
    at_ms: int
    """Where the utterance begins."""
    from_ms: int
    """Where its sound is taken from."""
    to_ms: int
    """Up to where there is sound to decode."""


Work = FinalWork | PartialWork


@dataclass(slots=True)
class _Open:
    at_ms: int
    from_ms: int
    heard_ms: int
    shown_ms: int
    """Up to where it was decoded or given up for a partial."""


class Schedule:
    """The order of work. One channel is in the hands of one worker at a time.

    `every_ms`: new sound that makes another partial due; `most_partials`: how many channels may
    wait for one (what is due beyond that is dropped and counted).
    """

    def __init__(self, *, every_ms: int, most_partials: int = MOST_PARTIALS) -> None:
        self._every_ms = every_ms
        self._most_partials = most_partials
        self._finals: deque[FinalWork] = deque()
        self._partials: OrderedDict[Channel, None] = OrderedDict()
        self._open: dict[Channel, _Open] = {}
        self._busy: set[Channel] = set()
        self.partials_dropped = 0

    @property
    def finals_waiting(self) -> int:
        """Finished utterances no worker has taken yet."""
        return len(self._finals)

    @property
    def partials_waiting(self) -> int:
        """Channels with enough new sound for a partial that no worker has taken yet."""
        return len(self._partials)

    def opened(self, channel: Channel, at_ms: int, from_ms: int) -> None:
        """An utterance began at `at_ms`; its sound is wanted from `from_ms`.

        Told again, it is the same utterance."""
        if not self.is_open(channel, at_ms):
            self._partials.pop(channel, None)
            self._open[channel] = _Open(at_ms, from_ms, from_ms, from_ms)

    def closed(self, channel: Channel) -> None:
        """The utterance ended: no more partials of it."""
        self._open.pop(channel, None)
        self._partials.pop(channel, None)

    def is_open(self, channel: Channel, at_ms: int) -> bool:
        """Whether the utterance that began at `at_ms` is still open."""
        utterance = self._open.get(channel)
        return utterance is not None and utterance.at_ms == at_ms

    def heard(self, channel: Channel, until_ms: int) -> None:
        """There is sound of a channel up to `until_ms`."""
        utterance = self._open.get(channel)
        if utterance is None or until_ms - utterance.from_ms > LONGEST_MS:
            return
        utterance.heard_ms = max(utterance.heard_ms, until_ms)
        if channel in self._partials or until_ms - utterance.shown_ms < self._every_ms:
            return
        if len(self._partials) < self._most_partials:
            self._partials[channel] = None
        else:
            utterance.shown_ms = until_ms
            self.partials_dropped += 1

    def final_due(self, channel: Channel, ticket: int) -> None:
        """A finished utterance waits to be decoded. Finals are never dropped."""
        self._finals.append(FinalWork(channel, ticket))

    def next(self) -> Work | None:
        """Work for a free worker; None where there is nothing to do. Tell `done` after it."""
        for final in self._finals:
            if final.channel not in self._busy:
                self._finals.remove(final)
                self._busy.add(final.channel)
                return final
        if self._finals:
            return None
        for channel in self._partials:
            if channel not in self._busy:
                del self._partials[channel]
                self._busy.add(channel)
                utterance = self._open[channel]
                utterance.shown_ms = utterance.heard_ms
                return PartialWork(channel, utterance.at_ms, utterance.from_ms, utterance.heard_ms)
        return None

    def done(self, work: Work) -> None:
        """The work is done, or failed."""
        self._busy.discard(work.channel)
