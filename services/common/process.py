"""A service as a process: its settings, its signals, its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable

from services.common.failure import CannotStart
from services.common.logs import get_logger, set_up_logs
from services.common.service import Service
from services.common.settings import HostedSettings, load


def run(create_app: Callable[[HostedSettings], Service], settings: type[HostedSettings]) -> None:
    """Read the settings, make the service, run it until SIGTERM or SIGINT.

    Exit code 2 with one sentence where a setting is wrong, 1 where the service cannot work.
    """
    loaded = load(settings)
    set_up_logs(loaded.log_level)
    try:
        service = create_app(loaded)
        failure = asyncio.run(until_stopped(service))
    except CannotStart as error:
        failure = str(error)
    except Exception as error:
        get_logger("service").exception("stopped by a fault")
        failure = f"a fault of Banxi ({type(error).__name__}) stopped this service: see above"
    log = get_logger("service")
    if failure:
        log.error(failure)
        sys.exit(1)
    log.info("stopped")


async def until_stopped(service: Service) -> str:
    """Run until told to stop, also while starting. Returns why it failed, else nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, service.stopping.set)
    life = asyncio.create_task(_live(service))
    stop = asyncio.create_task(service.stopping.wait())
    await asyncio.wait({life, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not life.done() and not service.up and not service.failed:
        # Told to stop while still starting: nothing is in hand yet.
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life
        return ""
    return await life


async def _live(service: Service) -> str:
    """From start to stop; returns why it failed, empty where it did not."""
    async with service.running():
        await service.stopping.wait()
        return service.detail if service.failed else ""
