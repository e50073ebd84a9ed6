"""One call while it lives: what its sockets send goes on the bus, in order, by one task."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from contracts.audio import FRAME_MS, Frame
from contracts.base import ROLES, Event, Role
from contracts.call import CallEnded, CallStarted, EndedBy
from contracts.door import LIVE_LEAD_MS, Start
from services.common.bus import Bus, patiently
from services.media.activity import Activity
from services.media.g711 import Samples
from services.media.legs import Legs
from services.media.refusal import Refusal
from services.media.settings import MediaSettings
from services.media.vad import Channel, Ear

BACKLOG_MS = 2_000
"""With so much audio waiting, no more is read from the sockets: TCP slows the senders down."""
BACKLOG = BACKLOG_MS * len(ROLES) // FRAME_MS
"""The same in frames."""
AHEAD_MS = 5_000
"""So far one leg of a replayed call may run ahead of the other before it has to wait."""
BATCH = 20
"""Frames handled in one go at most: a second of both channels."""


class Sender(Protocol):
    """A socket, as its call sees it."""

    roles: tuple[Role, ...]
    """The channels it carries."""
    waiting: bool
    """Whether it is ready to read and nothing comes."""

    def turn_away(self, refusal: Refusal | None) -> None:
        """Tell it why, if there is a reason, and close it. Returns at once."""


class LiveCall:
    """A call from its start to the moment its `ended` stands in the stream."""

    def __init__(
        self, start: Start, *, bus: Bus, ear: Ear, settings: MediaSettings, log: logging.Logger
    ) -> None:
        self.call_id = start.call_id
        self.frames = 0
        """Frames published so far."""
        self.dropped = 0
        """Frames given up because the call failed."""
        self._start = start
        self._bus = bus
        self._ear = ear
        self._settings = settings
        self._log = log
        self._live = start.pace == "live"
        self._legs = Legs(start.call_id, start.site, start.rate, live=self._live)
        self._activity = Activity(start.call_id, start.site, settings.rules)
        self._hearing: dict[Role, Channel] = {}
        self._senders: dict[Role, Sender] = {}
        self._sent_ms: dict[Role, float] = {}
        self._since: dict[Role, float] = {}
        self._inbox: deque[Frame] = deque()
        self._end: CallEnded | None = None
        self._silent_ms = 0.0
        self._news = asyncio.Event()
        """Set when there is something to do, or the call is to end."""
        self._moved = asyncio.Event()
        """Set when a waiting socket should look again whether it may read."""

    @property
    def waiting(self) -> int:
        """Frames received and not yet worked on."""
        return len(self._inbox)

    @property
    def behind_s(self) -> float:
        """Audio received and not yet worked on, seconds."""
        return self._backlog_ms / 1000

    @property
    def _backlog_ms(self) -> float:
        return len(self._inbox) * FRAME_MS / len(ROLES)

    # What sockets do

    def join(self, start: Start, sender: Sender) -> int:
        """A socket wants to carry this call, one of its legs, or go on with it.

        Returns where its audio begins, ms. Raises Refusal.
        """
        if self._end is not None:
            raise in_use()
        for name in ("agent_id", "caller_number", "layout", "rate", "pace"):
            if getattr(start, name) != getattr(self._start, name):
                raise Refusal("mismatch", f"{name}: differs from the call's own", name)
        known = any(role in self._since for role in sender.roles)
        if known and not start.resume:
            raise in_use()
        for old in {self._senders[role] for role in sender.roles if role in self._senders}:
            self.leave(old)
            old.turn_away(Refusal("replaced", "another connection goes on with this call"))
        for role in sender.roles:
            self._senders[role] = sender
            self._since.setdefault(role, time.monotonic())
        self._silent_ms = 0.0
        if known:
            return max(self._legs.resume(role) for role in sender.roles)
        return self.received_ms(sender)

    def leave(self, sender: Sender) -> None:
        """A socket is gone."""
        for role in ROLES:
            if self._senders.get(role) is sender:
                del self._senders[role]
                self._silent_ms = 0.0

    def received_ms(self, sender: Sender) -> int:
        """How far a socket's audio is, ms."""
        return min(self._legs.received_ms(role) for role in sender.roles)

    async def room(self, sender: Sender) -> None:
        """Wait until a socket may read on."""
        while self._end is None and not self._has_room(sender):
            self._moved.clear()
            await self._moved.wait()

    def hear(self, audio: Mapping[Role, Samples]) -> None:
        """Audio has come. Raises Refusal where a live sender runs ahead of the wall clock."""
        if self._end is not None:
            return
        now = time.monotonic()
        for role, samples in audio.items():
            sent = self._sent_ms.get(role, 0.0) + len(samples) * 1000 / self._start.rate
            if self._live and sent - (now - self._since[role]) * 1000 > LIVE_LEAD_MS:
                raise Refusal(
                    "too_fast",
                    f"a live sender may be {LIVE_LEAD_MS // 1000} s ahead of the wall clock: "
                    "send in real time, or start with pace replay",
                )
            self._sent_ms[role] = sent
            if len(samples):
                self._legs.hear(role, samples)
                self._silent_ms = 0.0
        self._collect(self._legs.cut())

    def stop(self, by: EndedBy) -> None:
        """A leg said stop: the call is over for both."""
        if self._end is None:
            length_ms, frames = self._legs.finish()
            self._collect(frames)
            self._end_with(by, length_ms, "")

    def lose(self, reason: str, refusal: Refusal | None = None) -> None:
        """The call cannot go on: it ended with the last audio that really came."""
        if self._end is None:
            at_ms = self._legs.heard_ms
            self._collect(self._legs.finish()[1])
            self._turn_away_all(refusal)
            self._end_with("lost", at_ms, reason)

    def tick(self, elapsed_ms: float) -> None:
        """Wall time has passed: silence is filled in, and patience ends some time."""
        if self._end is not None:
            return
        self._moved.set()
        senders = set(self._senders.values())
        if self._backlog_ms < BACKLOG_MS:
            silent = [r for r in ROLES if r not in self._senders or self._senders[r].waiting]
            self._legs.pass_time(elapsed_ms, silent, gone=not senders)
            self._collect(self._legs.cut())
        if all(sender.waiting for sender in senders):
            self._silent_ms += elapsed_ms
        if not senders and self._silent_ms >= self._settings.grace_s * 1000:
            self.lose("connection lost")
        elif self._silent_ms >= self._settings.idle_timeout_s * 1000:
            said = f"no audio for {self._settings.idle_timeout_s:g} s: the call is over"
            self.lose("no audio", Refusal("idle", said))

    def _has_room(self, sender: Sender) -> bool:
        if self._backlog_ms >= BACKLOG_MS:
            return False
        return self._live or all(self._legs.ahead_ms(role) <= AHEAD_MS for role in sender.roles)

    def _collect(self, frames: list[Frame]) -> None:
        self._inbox.extend(frames)
        self._news.set()
        self._moved.set()

    def _end_with(self, by: EndedBy, at_ms: int, reason: str) -> None:
        self._end = CallEnded(
            call_id=self.call_id,
            site=self._start.site,
            at_ms=at_ms,
            ended_by=by,
            reason=reason,
        )
        self._news.set()
        self._moved.set()

    def _turn_away_all(self, refusal: Refusal | None) -> None:
        for sender in set(self._senders.values()):
            sender.turn_away(refusal)
        self._senders.clear()

    # What its task does

    async def run(self) -> None:
        """Publish the call until its end. An error of ours ends it as lost, never silently."""
        try:
            await self._say(
                CallStarted(
                    call_id=self.call_id,
                    site=self._start.site,
                    at_ms=0,
                    agent_id=self._start.agent_id,
                    caller_number=self._start.caller_number,
                    region=self._start.region,
                    pace=self._start.pace,
                )
            )
            while self._inbox or self._end is None:
                await self._work()
            await self._close_story(self._end)
        except Exception:
            # The boundary of the call: an error in one must not end the others.
            self._log.exception("call failed", extra={"call": self.call_id})
            self.lose("internal error", Refusal("internal", "the call failed; see the log"))
            self.dropped = len(self._inbox)
            self._inbox.clear()
            if self._end is not None:
                await self._say(self._end)
        finally:
            self._turn_away_all(None)
            self._moved.set()

    async def _work(self) -> None:
        if not self._inbox:
            self._news.clear()
            await self._news.wait()
            return
        frames = [self._inbox.popleft() for _ in range(min(BATCH, len(self._inbox)))]
        # Frames first: whoever hears of speech must find its sound there.
        await asyncio.gather(*(self._publish_frame(frame) for frame in frames))
        self.frames += len(frames)
        work = [(await self._channel(frame.role), frame.pcm) for frame in frames]
        heard = await self._ear.hear(work)
        for frame, chunks in zip(frames, heard, strict=True):
            for event in self._activity.hear(frame.role, chunks):
                await self._say(event)
        self._moved.set()

    async def _close_story(self, end: CallEnded) -> None:
        roles = list(self._hearing)
        rest = await self._ear.hear([(self._hearing[role], b"") for role in roles], last=True)
        for role, chunks in zip(roles, rest, strict=True):
            for event in self._activity.hear(role, chunks):
                await self._say(event)
        for event in self._activity.finish(end.at_ms):
            await self._say(event)
        await self._say(end)

    async def _channel(self, role: Role) -> Channel:
        if role not in self._hearing:
            self._hearing[role] = await self._ear.open(self._start.rate)
        return self._hearing[role]

    async def _say(self, event: Event) -> None:
        await patiently(partial(self._bus.publish, event), self._log, self.call_id)

    async def _publish_frame(self, frame: Frame) -> None:
        await patiently(partial(self._bus.publish_frame, frame), self._log, self.call_id)


def in_use() -> Refusal:
    """The refusal of a call id that is taken."""
    return Refusal(
        "call_in_use",
        "this call id was used before: choose a new one, or start with resume to go on",
        "call_id",
    )
