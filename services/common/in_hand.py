"""Messages in hand: the server must not give them to anybody else while we are at work on them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import nats.errors
from nats.aio.msg import Msg


class Taken:
    """A kept message in hand, until all that it caused is out."""

    def __init__(self, message: Msg, hand: InHand) -> None:
        self._message = message
        self._hand = hand
        self.sequence = message.metadata.sequence.stream
        """Its number in the stream."""
        self.causes = 1
        """How many things are still to be done because of it: each of them calls `ack`."""

    @property
    def subject(self) -> str:
        """Where it is stored."""
        return self._message.subject

    @property
    def data(self) -> bytes:
        """What it says."""
        return self._message.data

    @property
    def headers(self) -> Mapping[str, str] | None:
        """Its headers."""
        return self._message.headers

    async def ack(self) -> None:
        """One thing is done; after the last one the server need not bring the message again. An
        acknowledgement that is lost on its way does no harm: the message comes again."""
        self.causes -= 1
        if self.causes == 0:
            self._hand.drop(self)
            with contextlib.suppress(nats.errors.Error):
                await self._message.ack()

    async def give_back(self) -> None:
        """It is for somebody else to do: the server brings it to whoever holds the partition."""
        self._hand.drop(self)
        with contextlib.suppress(nats.errors.Error):
            await self._message.nak()

    async def in_progress(self) -> None:
        """Tell the server that we are still at it."""
        with contextlib.suppress(nats.errors.Error):
            await self._message.in_progress()


class InHand:
    """The messages of one partition that this process is at work on."""

    def __init__(self) -> None:
        self._taken: dict[int, Taken] = {}

    def take(self, message: Msg) -> Taken | None:
        """Take a message; None where it is in hand already and has only come again."""
        taken = Taken(message, self)
        if taken.sequence in self._taken:
            return None
        self._taken[taken.sequence] = taken
        return taken

    def drop(self, taken: Taken) -> None:
        """Let go of a message."""
        self._taken.pop(taken.sequence, None)

    async def beat(self) -> None:
        """Tell the server of each that we are still at it."""
        for taken in tuple(self._taken.values()):
            await taken.in_progress()

    async def give_back(self) -> None:
        """Give all of them back, the earliest first."""
        for _, taken in sorted(self._taken.items()):
            await taken.give_back()
