"""The operator's listener: is the process alive, can it work, and its figures.

`/healthz` answers 200 as long as the event loop turns; it knows nothing of NATS, or a broker that
is away would have every service started again. `/readyz` answers 200 or 503 and says in words what
is missing, also where the service does the rest of its work without. `/metrics` is for Prometheus.
None of them tells callers' data.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.common.figures import Figures
from services.common.listener import bind, serving

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
MAX_MESSAGE = 1024
"""Nobody opens a WebSocket here."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a service is now."""

    ready: bool
    """Whether it serves what it safely can. It may lack something and serve the rest."""
    detail: str = ""
    """What is missing, in words; or a remark where nothing is."""
    held: int = 0
    """Partitions of the kept stream this process follows."""
    standby: int = 0
    """Partitions it would take over."""


def application(readiness: Callable[[], Readiness], figures: Figures) -> Starlette:
    """The three pages."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        now = readiness()
        said = {
            "ready": now.ready,
            "detail": now.detail,
            "partitions": {"held": now.held, "standby": now.standby},
        }
        return JSONResponse(said, status_code=200 if now.ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(figures.exposition(), headers={"content-type": EXPOSITION})

    pages = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
    return Starlette(routes=[Route(path, page) for path, page in pages.items()])


@asynccontextmanager
async def listening(
    host: str,
    port: int,
    readiness: Callable[[], Readiness],
    figures: Figures,
    failed: Callable[[str], None],
) -> AsyncIterator[None]:
    """Serve them until left. Raises CannotStart naming the setting that is wrong."""
    taken = bind(host, port, "BANXI_HEALTH_PORT", host_setting="BANXI_HEALTH_HOST")
    async with serving(
        application(readiness, figures), taken, failed, max_message=MAX_MESSAGE, ping_s=None
    ):
        yield
