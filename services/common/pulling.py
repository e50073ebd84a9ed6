"""Pulling one partition of the kept stream: in one replica at a time, one message after the other.

A partition, site and service have one durable pull consumer. Its priority group lets the server pin
one replica: that one holds the partition and gets every message; the others stand by with a pull
that waits. The pin is kept by asking again and again, and passes on `PIN_S` after its holder fell
silent, or at once where the holder gives it up.

Who gets the pin first gathers what its forerunner had in hand, so that nothing overtakes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any, Protocol

import nats.errors
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

from contracts import subjects
from services.common import streams
from services.common.bus import Bus
from services.common.in_hand import InHand, Taken

PIN_S = 4.0
"""How long a holder may be silent before the server pins another replica, seconds."""
ACK_WAIT_S = 5.0
"""How long the server waits for a word on a message before it delivers it again, seconds."""
BEAT_S = 1.25
"""How often a holder says that it is still there, and still at work on what it has."""
HOLD_S = 1.0
"""How long a holder's pull waits at the server before it is asked again."""
STAND_BY_S = 20.0
"""How long the pull of a replica that stands by waits at the server."""
GATHER_S = ACK_WAIT_S + PIN_S
"""How long a new holder waits for what its forerunner had in hand. Longer only where that one still
works on it without the pin: it will finish, or what it leaves comes later and is made up for."""
GROUP = "replicas"
"""Name of the priority group."""
PINNED_ELSEWHERE = "423"
RENEWAL = {"batch": 1, "max_bytes": 1, "expires": 300_000_000}
"""A pull no message is small enough for: it keeps the pin and brings nothing."""


class Follower(Protocol):
    """Whom the messages of a partition are for."""

    def began(self, partition: int, until: int) -> None:
        """This replica holds the partition from now on. What stands up to `until` in the stream may
        have been handled by others."""
        ...

    async def take(self, partition: int, taken: Taken) -> None:
        """Handle a message, and acknowledge it when what it caused is out."""
        ...

    async def over(self, partition: int) -> None:
        """Another replica holds the partition from now on."""
        ...


class PartitionPull:
    """Pulls one partition for a follower: `bind`, `run`, `leave`, and `release` at the end."""

    def __init__(
        self,
        bus: Bus,
        partition: int,
        follower: Follower,
        *,
        log: logging.Logger,
        deliver: DeliverPolicy,
    ) -> None:
        self._bus = bus
        self.partition = partition
        """Its number."""
        self._follower = follower
        self._log = log
        self._deliver = deliver
        self._durable = f"{bus.service}-{bus.site}-{partition}"
        self._inbox = bus.client.new_inbox()
        self._came: asyncio.Queue[Msg | None] = asyncio.Queue()
        """What the server sent; None: ask again."""
        self._asked = False
        """Whether a pull of ours waits at the server."""
        self._asked_at = 0.0
        """When that was asked, on the loop's clock."""
        self._pin: str | None = None
        self._hand = InHand()
        self._beating: asyncio.Task[None] | None = None
        self._subscription: Any = None
        self._leaving = self._released = False
        self._trouble_said = ""

    @property
    def held(self) -> bool:
        """Whether this replica holds the partition."""
        return self._pin is not None

    async def bind(self) -> None:
        """Declare the durable consumer and be ready to pull."""
        await self._declare()
        self._subscription = await self._bus.client.subscribe(self._inbox, cb=self._arrived)
        self._beating = asyncio.create_task(self._beat(), name=f"beat-{self.partition}")

    async def run(self) -> None:
        """Pull until told to leave, or until the connection is closed for good."""
        while not (self._leaving or self._bus.client.is_closed):
            message = await self._pull(HOLD_S if self.held else STAND_BY_S)
            if message is None:
                continue
            pin = (message.headers or {}).get("Nats-Pin-Id", "")
            if pin == self._pin:
                batch = [taken] if (taken := self._hand.take(message)) else []
            else:
                batch = await self._gain(pin, message)
            for taken in batch:
                if self._pin != pin or self._leaving:
                    await taken.give_back()
                    continue
                await self._follower.take(self.partition, taken)

    def again(self) -> None:
        """The connection is new: the server has forgotten what the old one was waiting for."""
        self._asked = False
        self._came.put_nowait(None)

    def leave(self) -> None:
        """Pull no more: `run` ends after the message it has in hand. Not by cancelling: that would
        cut a message in half, and what asks the server may swallow it."""
        self._leaving = True
        self._came.put_nowait(None)

    async def release(self) -> None:
        """Give up the partition and what is still in hand: who stands by need not wait."""
        self._released = True
        if self._beating:
            self._beating.cancel()
            await asyncio.wait({self._beating}, timeout=BEAT_S)
        with contextlib.suppress(nats.errors.Error, TimeoutError):
            if self.held and self._bus.client.is_connected:
                await self._api("UNPIN", {"group": GROUP})
                await self._bus.heard()  # what was sent to us before has arrived
        await self._lose()
        while not self._came.empty():
            late = self._came.get_nowait()
            if late is not None and _status(late) is None:
                self._hand.take(late)
        await self._hand.give_back()
        if self._subscription:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.unsubscribe()

    # The pin.

    async def _gain(self, pin: str, first: Msg) -> list[Taken]:
        """The partition is ours. All that is to be done now, in order: what the forerunner had in
        hand comes again when he has been silent about it for `ACK_WAIT_S`."""
        await self._lose()  # it was ours before, and in between perhaps another's
        self._pin = pin
        batch = [taken] if (taken := self._hand.take(first)) else []
        until: int | None = None
        deadline = self._loop_time() + GATHER_S
        while self._pin == pin and not self._leaving:
            try:
                info = await self._api("INFO", {})
            except (nats.errors.Error, TimeoutError) as error:
                await self._trouble(type(error).__name__)
                continue
            if until is None:
                until = int(info["delivered"]["stream_seq"])
            if info["num_ack_pending"] <= len(batch) or self._loop_time() > deadline:
                break
            message = await self._pull(0.3)
            if message is not None and (taken := self._hand.take(message)):
                batch.append(taken)
        if self._pin == pin and until is not None:
            self._follower.began(self.partition, until)
            self._log.info("partition held", extra={"partition": self.partition})
        return sorted(batch, key=lambda taken: taken.sequence)

    async def _lose(self) -> None:
        if self._pin is not None:
            self._pin = None
            await self._follower.over(self.partition)

    async def _beat(self) -> None:
        """Keep the pin and what is in hand, however long a message takes."""
        while not self._released:
            await asyncio.sleep(BEAT_S)
            await self._hand.beat()
            if self._pin is None or self._loop_time() - self._asked_at < BEAT_S:
                continue  # each pull is a word from us, too
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                body = json.dumps({**RENEWAL, "group": GROUP, "id": self._pin}).encode()
                answer = await self._bus.client.request(self._next, body, timeout=2)
                if _status(answer) == PINNED_ELSEWHERE:
                    await self._lose()

    # Asking the server.

    @property
    def _next(self) -> str:
        return f"$JS.API.CONSUMER.MSG.NEXT.{streams.CALLS}.{self._durable}"

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()

    async def _arrived(self, message: Msg) -> None:
        self._came.put_nowait(message)

    async def _pull(self, wait_s: float) -> Msg | None:
        """The next message, or none after a while."""
        if not self._asked:
            asking = {"batch": 1, "expires": round(wait_s * 1e9), "group": GROUP}
            if self._pin is not None:
                asking["id"] = self._pin
            try:
                body = json.dumps(asking).encode()
                await self._bus.client.publish(self._next, body, reply=self._inbox)
            except nats.errors.Error as error:
                await self._trouble(type(error).__name__)
                return None
            self._asked, self._asked_at = True, self._loop_time()
        try:
            async with asyncio.timeout(wait_s + 2):
                message = await self._came.get()
        except TimeoutError:
            self._asked = False  # neither a message nor a word: perhaps the server is gone
            return None
        self._asked = False
        status = _status(message) if message is not None else None
        if status is None:
            self._trouble_said = ""
            return message
        if status == PINNED_ELSEWHERE:
            await self._lose()
        elif status in ("404", "408"):
            self._trouble_said = ""
        else:
            assert message is not None
            await self._trouble((message.headers or {}).get("Description", status))
        return None

    async def _trouble(self, what: str) -> None:
        if not self._bus.client.is_closed:
            # Once, and of a connection that is lost its service tells.
            if what != self._trouble_said and self._bus.client.is_connected:
                self._log.warning(
                    "pull failed, trying again",
                    extra={"error": what, "partition": self.partition},
                )
                self._trouble_said = what
            await asyncio.sleep(1)
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                await self._declare()  # perhaps it is gone

    async def _declare(self) -> None:
        """The durable consumer. One that is there already, also from before there were groups,
        keeps its position."""
        config = ConsumerConfig(
            durable_name=self._durable,
            filter_subject=subjects.stored_partition(self._bus.site, self.partition),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=256,
            deliver_policy=self._deliver,
        )
        group = {  # nats-py knows no priority groups
            "priority_groups": [GROUP],
            "priority_policy": "pinned_client",
            "priority_timeout": round(PIN_S * 1e9),
        }
        asked = {"stream_name": streams.CALLS, "config": config.as_dict() | group}
        await self._api("DURABLE.CREATE", asked)

    async def _api(self, verb: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask the server something about our consumer. Raises APIError where it refuses."""
        subject = f"$JS.API.CONSUMER.{verb}.{streams.CALLS}.{self._durable}"
        answer = await self._bus.client.request(subject, json.dumps(asked).encode(), timeout=5)
        said: dict[str, Any] = json.loads(answer.data)
        if "error" in said:
            raise APIError.from_error(said["error"])
        return said


def _status(message: Msg) -> str | None:
    """What the server says instead of a message; None where it is a message."""
    return (message.headers or {}).get("Status")
