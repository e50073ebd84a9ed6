"""A web application served inside a service's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from services.common.failure import CannotStart

DEAD_PEER_MS = 20_000
"""A peer whose machine does not confirm what we sent for so long is gone."""


def bind(host: str, port: int, setting: str, *, host_setting: str = "BANXI_HOST") -> socket.socket:
    """Take the port, before anything else is done. Raises CannotStart naming the setting."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {host} ({error.strerror}): set {host_setting}"
        ) from None
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
async def serving(
    app: ASGIApp,
    taken: socket.socket,
    failed: Callable[[str], None],
    *,
    max_message: int,
    ping_s: float | None = 20.0,
) -> AsyncIterator[None]:
    """Serve `app` on a bound socket until left, then close it; open sockets get a few seconds.

    `max_message`: largest WebSocket message, bytes. `ping_s`: seconds between pings, None for
    none. `failed` hears a sentence where the server stops by itself.
    """
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws_max_size=max_message,
            ws_ping_interval=ping_s,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=3,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[taken]), name="listener")

    def stopped(_: asyncio.Task[None]) -> None:
        if not server.should_exit:
            failed("the web server stopped by itself: start the service again")

    task.add_done_callback(stopped)
    try:
        yield  # the socket listens already: who comes early waits in its backlog
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=10)
        taken.close()
