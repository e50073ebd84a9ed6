"""A web application served inside the service's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from services.common.service import CannotStart

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Above the door's own limit, so that a sender of too much still hears why it is turned away."""
DEAD_PEER_MS = 20_000
"""A peer whose machine does not confirm what we sent for so long is gone."""


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Take the port, before anything else is done. Raises CannotStart naming the setting."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotStart(f"cannot listen on {host} ({error.strerror}): set BANXI_HOST") from None
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted sockets inherit it
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
        taken.bind(address)
        taken.listen()
    except OSError as error:
        taken.close()
        raise CannotStart(
            f"cannot listen on {host} port {port} ({error.strerror}): "
            f"stop what uses it, or set {setting}"
        ) from None
    return taken


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the service decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, taken: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on a bound socket until left."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws_max_size=MAX_MESSAGE_BYTES,
            # Pings are not answered in time by a sender that TCP slows down; see DEAD_PEER_MS.
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=3,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[taken]), name="listener")
    try:
        yield  # the socket listens already: who comes early waits in its backlog
    finally:
        server.should_exit = True
        await task
