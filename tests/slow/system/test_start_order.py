"""Services before their bus: each waits, says why, and is ready soon after the last one came."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import nats
import pytest

from services.common import streams
from tests.conftest import free_port
from tests.connected.common.servers import nats_server, readyz
from tests.until import until
from tools.system import SERVICES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

BAR_S = 60


async def test_services_started_before_the_bus_become_ready(tmp_path: Path, site: str) -> None:
    port = free_port()
    health = {name: free_port() for name in SERVICES}
    with contextlib.ExitStack() as stack:
        for name in reversed(SERVICES):
            environment = os.environ | {
                "BANXI_SITE": site,
                "BANXI_NATS_URL": f"nats://127.0.0.1:{port}",
                "BANXI_DATA_DIR": str(tmp_path / "data"),
                "BANXI_HEALTH_PORT": str(health[name]),
                "BANXI_MEDIA__PORT": str(free_port()),
                "BANXI_DESK__PORT": str(free_port()),
                "BANXI_KNOWLEDGE__SAMPLE_BASE": "false",
                "OMP_NUM_THREADS": "1",
            }
            command = [sys.executable, "-m", f"services.{name}"]
            process = await asyncio.to_thread(subprocess.Popen, command, env=environment)
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        for name in SERVICES:
            await until(
                lambda name=name: readyz(health[name]),  # type: ignore[misc]
                lambda said: "cannot reach NATS" in said.get("detail", ""),
                patience_s=200,
            )
        stack.enter_context(nats_server(port, "-js", "-sd", tmp_path / "nats"))
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        await streams.declare(client.jetstream())
        await client.close()
        last_came = time.monotonic()
        for name in SERVICES:
            await until(
                lambda name=name: readyz(health[name]),  # type: ignore[misc]
                lambda said: said.get("ready"),
                patience_s=BAR_S - (time.monotonic() - last_came),
            )
