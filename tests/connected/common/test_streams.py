"""The streams on a server: declared, declared otherwise, and said so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext

from services.common import streams
from tests.conftest import free_port, nats_server_path, wait_for_port

pytestmark = pytest.mark.connected


@pytest.fixture
def own_nats(tmp_path: Path) -> Iterator[str]:
    """A NATS server without our streams."""
    port = free_port()
    command = [nats_server_path(), "-js", "-sd", str(tmp_path), "-a", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(port)
    yield f"nats://127.0.0.1:{port}"
    server.terminate()
    server.wait(10)


@pytest.fixture
async def js(own_nats: str) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(own_nats)
    yield client.jetstream()
    await client.close()


async def test_what_differs_is_said_in_sentences_and_mended_by_declaring(
    js: JetStreamContext,
) -> None:
    said = await streams.differences(js)
    assert len(said) == 3
    assert said[0].startswith("stream BANXI_CALLS is missing")
    await streams.declare(js)
    assert await streams.differences(js) == []
    calls, audio, dead = streams.definitions()
    other = replace(calls, max_age=60, allow_direct=False, duplicate_window=60)
    await js.update_stream(replace(other, subject_transform=None))
    await js.update_stream(replace(dead, max_msgs=10))
    await js.update_stream(replace(audio, max_age=600))  # keeps more than we need
    said = await streams.differences(js)
    assert [sentence.split(",")[0] for sentence in said] == [
        "stream BANXI_CALLS has subject_transform none",
        "stream BANXI_CALLS has allow_direct False",
        "stream BANXI_CALLS has max_age 60",
        "stream BANXI_CALLS has duplicate_window 60",
        "stream BANXI_DEAD has max_msgs 10",
    ]
    assert all("banxi streams declare" in sentence for sentence in said)
    await streams.declare(js)
    assert await streams.differences(js) == []


def declared(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from tools.streams import app; app()"
    return subprocess.run(
        [sys.executable, "-c", program, "declare", *arguments],
        env={"PATH": "/usr/bin:/bin", "BANXI_NATS_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_declares_and_says_what_the_server_refuses(own_nats: str) -> None:
    refused = declared(own_nats, "--replicas", "3")  # it is a single server
    assert refused.returncode == 1
    assert "stream BANXI_CALLS: " in refused.stderr
    assert refused.stderr.count("\n") == 1
    done = declared(own_nats)
    assert done.returncode == 0, done.stderr
    assert "BANXI_CALLS" in done.stdout
    assert declared(own_nats, "--replicas", "9").returncode == 2
