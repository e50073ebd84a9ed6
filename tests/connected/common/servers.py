"""NATS servers of a test's own, and what a service says of itself over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from services.common.process import until_stopped
from services.common.service import Service
from tests.conftest import nats_server_path, wait_for_port


@contextmanager
def nats_server(port: int, *options: str | Path) -> Iterator[str]:
    """A NATS server with these options; its address."""
    command = [nats_server_path(), "-a", "127.0.0.1", "-p", str(port), *map(str, options)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@asynccontextmanager
async def living(service: Service) -> AsyncIterator[int]:
    """The service from its start on, ready or not; its health port."""
    life = asyncio.create_task(until_stopped(service))
    try:
        assert service.settings.health_port
        yield service.settings.health_port
    finally:
        service.stopping.set()
        assert await asyncio.wait_for(life, 20) == ""


async def get(port: int, page: str) -> httpx.Response | None:
    """A page of a health listener; None where nobody listens yet."""
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            return await client.get(f"http://127.0.0.1:{port}/{page}")
        except httpx.TransportError:
            return None


async def readyz(port: int) -> dict[str, Any]:
    """What `/readyz` says; empty where nobody listens yet."""
    answer = await get(port, "readyz")
    return {"status": answer.status_code, **answer.json()} if answer else {}
