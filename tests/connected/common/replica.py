"""A replica of a service as a process of its own, to be killed: `replica.py URL SITE`.

It says on its standard output what it handles, and its slow work is never done.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

import nats

from contracts.base import Event
from contracts.speech import SpeechEnded
from services.common.bus import Bus
from services.common.calls import CallSettled, Happening, Outcome
from services.common.consumer import CallConsumer


class Stuck:
    """A handler whose slow work never ends."""

    def open(self, call_id: str, site: str) -> None:
        """Nothing is held."""

    async def handle(self, state: None, happening: Happening) -> Outcome[None]:
        """Say what came."""
        if not isinstance(happening, CallSettled):
            sys.stdout.write(f"{happening.event}@{happening.at_ms}\n")
            sys.stdout.flush()
        if isinstance(happening, SpeechEnded):
            return Outcome(None, later=_never(), in_turn=True)
        return Outcome(None)


async def _never() -> Sequence[Event]:
    await asyncio.Event().wait()
    return ()


async def main(url: str, site: str) -> None:
    """Follow the calls of a site until killed."""
    client = await nats.connect(url)
    consumer = CallConsumer(
        Bus(client, site=site, service="test"), Stuck(), log=logging.getLogger("banxi.test")
    )
    await consumer.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
