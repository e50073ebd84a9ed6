"""The HTTP server inside the service's own loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from services.common.service import CannotStart

MAX_MESSAGE = 16 * 1024
"""Largest message a page may send, bytes."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the service has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Take the address. Raises CannotStart with a sentence where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(128)
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"port {port} of {host} is in use: stop the program that has it, "
                "or choose another with BANXI_DESK__PORT"
            ) from None
        raise CannotStart(
            f"cannot listen on {host}:{port} ({error.strerror}): set BANXI_HOST"
        ) from None
    taken.setblocking(False)
    return taken


@asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, failed: Callable[[str], None]
) -> AsyncIterator[None]:
    """Serve until left; open sockets get a few seconds to close. `failed` hears a sentence where
    the server stops by itself."""
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws_max_size=MAX_MESSAGE,
            ws_max_queue=16,
            timeout_graceful_shutdown=3,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))

    def stopped(_: asyncio.Task[None]) -> None:
        if not server.should_exit:
            failed("the web server stopped by itself: start the desk again")

    task.add_done_callback(stopped)
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=10)
        listener.close()
