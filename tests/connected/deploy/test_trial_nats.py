"""Three NATS servers with the configuration and arguments of the trial overlay form one cluster,
which takes our streams in three copies from whoever shows the token."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nats.errors
import pytest
import yaml
from nats.js.errors import APIError

from services.common import streams
from tests.conftest import free_port, nats_server_path, wait_for_port
from tools.connection import BusUnreachable, connected
from tools.deploy.commands import ROOT

pytestmark = pytest.mark.connected

TRIAL = ROOT / "deploy" / "k8s" / "overlays" / "trial"
TOKEN, PASSWORD = "k1-token", "k2-password"
SERVERS = 3


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[int]]:
    """Client ports of the three."""
    clients, routes, monitors = ([free_port() for _ in range(SERVERS)] for _ in range(3))
    running = []
    for number in range(SERVERS):
        text = (TRIAL / "nats.conf").read_text()
        for port, own in ((4222, clients), (6222, routes), (8222, monitors)):
            text = text.replace(f"0.0.0.0:{port}", f"127.0.0.1:{own[number]}")
        folder = tmp_path / str(number)
        folder.mkdir()
        config = folder / "nats.conf"
        config.write_text(text.replace("store_dir: /data", f"store_dir: {folder}"))
        arguments = [argument for argument in _arguments() if not argument.startswith("--config")]
        running.append(
            subprocess.Popen(
                [nats_server_path(), "-c", str(config), *(_here(a, routes) for a in arguments)],
                env={
                    "POD_NAME": f"nats-{number}",
                    "NATS_TOKEN": TOKEN,
                    "NATS_CLUSTER_PASSWORD": PASSWORD,
                },
                stderr=subprocess.DEVNULL,
            )
        )
    for port in clients:
        wait_for_port(port)
    yield clients
    for process in running:
        process.terminate()
    for process in running:
        process.wait(20)


async def test_the_trials_servers_take_our_streams(servers: list[int]) -> None:
    async with connected(f"nats://127.0.0.1:{servers[1]}", TOKEN) as client:
        js = client.jetstream(timeout=5)
        async with asyncio.timeout(60):
            while True:
                try:
                    await streams.declare(js, SERVERS)
                    break
                except (nats.errors.Error, APIError):  # no leader yet
                    await asyncio.sleep(0.2)
        for name in (streams.CALLS, streams.AUDIO, streams.DEAD):
            cluster = (await js.stream_info(name)).cluster
            assert cluster is not None
            assert cluster.name == "banxi"
            assert len(cluster.replicas or []) == SERVERS - 1


async def test_nobody_gets_in_without_the_token(servers: list[int]) -> None:
    with pytest.raises(BusUnreachable):
        async with connected(f"nats://127.0.0.1:{servers[0]}"):
            pass


def _arguments() -> list[str]:
    for thing in yaml.safe_load_all((TRIAL / "nats.yaml").read_text()):
        if thing["kind"] == "StatefulSet":
            return list(thing["spec"]["template"]["spec"]["containers"][0]["args"])
    raise AssertionError("no StatefulSet in nats.yaml")


def _here(argument: str, routes: list[int]) -> str:
    """An argument with the cluster's names as addresses of this machine."""
    argument = argument.replace("$(NATS_CLUSTER_PASSWORD)", PASSWORD)
    return re.sub(r"nats-(\d)\.nats:6222", lambda m: f"127.0.0.1:{routes[int(m[1])]}", argument)
