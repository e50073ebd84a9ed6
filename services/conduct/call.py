"""The state of one call: both sides of it, and what was concluded so far.

Immutable: every change makes a new value. All times are ms on the call's audio clock.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from itertools import chain

from contracts.base import Role
from contracts.call import EndedBy
from contracts.warning import Level, WarningRaised
from services.conduct.channel import Channel, Span, start_of
from services.conduct.checklist.ticks import Ticks
from services.conduct.scoring.score import Facts


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which neither side speaks."""

    start: int
    piece: int
    """Start of what `silence.started` told of last, or will: a noise that is known as such only
    later cuts a silence into pieces."""
    end: int | None = None
    noted: bool = False
    """`silence.started` is out for this piece."""
    closed: bool = False
    """`silence.ended` is out for this piece."""
    warned: tuple[tuple[Level, str], ...] = ()
    """Levels and ids of the warnings raised for it."""
    returned: int = 0
    """How often its warnings were taken back."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The agent asked the caller to wait."""

    start: int
    words: str
    event_id: str
    since: int
    """Start of the first of the holds that followed each other, the agent only asking again."""
    piece: int
    """Start of what `hold.started` told of last: a noise that is known as such only later cuts a
    hold into pieces."""
    end: int | None = None
    card: str = ""
    """The card that is shown for it."""
    warned: str = ""
    """Id of its warning."""
    returned: int = 0
    """How often that was taken back."""
    decided: bool = False
    """Its end holds, whatever words still come."""
    thanks_judged: bool = False


@dataclass(frozen=True, slots=True)
class Interruption:
    """The agent began while the caller was speaking."""

    start: int
    warning_id: str
    open: bool
    """It may still be withdrawn."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """The caller began while the agent was speaking."""

    start: int
    warning_id: str
    """Empty where nothing was raised."""
    open: bool
    """It may still be withdrawn."""


@dataclass(frozen=True, slots=True)
class Unattended:
    """The caller asked whether anybody was there, and nobody answered."""

    quiet_from: int
    """Since when the agent had been silent."""
    asked: int
    """End of the question."""
    event_id: str
    """The words it was known by."""
    shown: int
    """When its card was shown last."""
    card: str
    """Its card while that is shown."""


@dataclass(frozen=True, slots=True)
class Call:
    """Everything conduct knows of a call."""

    call_id: str
    site: str
    agent: Channel = field(default_factory=lambda: Channel("agent"))
    caller: Channel = field(default_factory=lambda: Channel("caller"))
    clock: int = 0
    """Timers have been looked at up to here."""
    decided: int = 0
    """Voice activity is known of both sides up to here."""
    started_id: str = ""
    """The event that told of its start."""
    ended_at: int | None = None
    ended_by: EndedBy | None = None
    ended_id: str = ""
    """The event that told of its end."""
    settled: bool = False
    """Nothing more will come."""
    silences: tuple[Silence, ...] = ()
    """Those that may still lead to something."""
    silence_judged: int = -1
    """Start of the latest silence of which nothing can come any more."""
    holds: tuple[Hold, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    """Where the caller cut in: the last that were judged."""
    returned: int = -1
    """The agent's last return to a caller who waited that was judged."""
    asked: int = -1
    """The last time the caller asked whether anybody was there that was judged."""
    unattended: Unattended | None = None
    """The last time it was raised."""
    pace_high: bool = False
    """Too fast, and not come down since."""
    pace_raised: int = -1
    """Start of the speech it was raised for last."""
    tics: frozenset[str] = frozenset()
    """Tics that were raised."""
    unacknowledged: int = -1
    """Up to where the caller's telling was judged to go without a word from the agent."""
    repeats: int = -1
    """The last request to repeat that was counted in a warning."""
    hang_up_judged: bool = False
    hang_up_warned: str = ""
    """Id of the warning of the agent's hanging up first."""
    hang_up_open: bool = False
    """It waits for the last words before the hang-up."""
    silent_warned: bool = False
    silent_step: int = 0
    """Step of the silent-caller script whose card was shown last; 0 = none."""
    silent_card: str = ""
    """That card while it is shown."""
    opening_judged: bool = False
    closing_judged: bool = False
    phrases: frozenset[tuple[str, int]] = frozenset()
    """Forbidden phrases raised: rule, and start of the utterance they end in."""
    refuted: frozenset[str] = frozenset()
    """Ids of warnings about phrases that were taken back: no other may have one of them."""
    early: tuple[WarningRaised, ...] = ()
    """Those raised on partials of utterances whose finals are still to come."""
    ticks: Ticks = field(default_factory=Ticks)
    """What the checklist knows."""
    score: Facts = field(default_factory=Facts)
    """What the score rests on."""

    def channel(self, role: Role) -> Channel:
        """One side."""
        return self.agent if role == "agent" else self.caller

    def with_channel(self, channel: Channel) -> Call:
        """The call with one side changed."""
        if channel.role == "agent":
            return replace(self, agent=channel)
        return replace(self, caller=channel)

    @property
    def over(self) -> bool:
        """Whether somebody has hung up."""
        return self.ended_at is not None

    def caller_spoke(self, until: int | None = None) -> bool:
        """Whether the caller has said anything, beginning up to `until`. Coughs do not count."""
        return any(
            not span.noise for span in self.caller.spans if until is None or span.start <= until
        )

    def quiet_since(self) -> int | None:
        """Since when nobody has spoken; None while somebody does."""
        if self.agent.speaking or self.caller.speaking:
            return None
        last = [channel.last_voice() for channel in (self.agent, self.caller)]
        return max([span.end for span in last if span and span.end is not None], default=0)

    def quiet_before(self, moment: int) -> int:
        """Since when nobody had spoken at a moment at which nobody spoke."""
        ends = [span.end for span in self._last_before(moment) if span.end is not None]
        return max(ends, default=0)

    def voice_after(self, start: int) -> int | None:
        """When somebody first spoke from `start` on."""
        found = [channel.next_voice(start) for channel in (self.agent, self.caller)]
        return min([span.start for span in found if span], default=None)

    def spans_after(self, moment: int) -> list[Span]:
        """The stretches of both sides that begin at a moment or later, by start."""
        both = [
            c.spans[bisect_left(c.spans, moment, key=start_of) :] for c in (self.agent, self.caller)
        ]
        return sorted(chain(*both), key=start_of)

    def quiet_by(self, start: int) -> list[str]:
        """The events a silence from `start` on rests on: each side's last end of speech; where
        nobody had spoken, the start of the call."""
        return [span.ended_by for span in self._last_before(start)] or [self.started_id]

    def _last_before(self, moment: int) -> list[Span]:
        """The last stretch of each side that was over by then."""
        found = []
        for channel in (self.agent, self.caller):
            span = channel.last_voice(moment + 1)
            while span and (span.end is None or span.end > moment):
                span = channel.last_voice(span.start)
            if span:
                found.append(span)
        return found
