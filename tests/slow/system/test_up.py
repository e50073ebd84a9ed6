"""`banxi up` as a person meets it: what it says when it cannot start, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tools.system import Ports, free_ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

BANXI = str(Path(sys.executable).with_name("banxi"))


def command(data: Path, ports: Ports, *more: str) -> list[str]:
    return [
        BANXI, "up", "--data", str(data), "--nats-port", str(ports.nats),
        "--door-port", str(ports.door), "--desk-port", str(ports.desk), *more,
    ]  # fmt: skip


def refused(data: Path, ports: Ports, **environment: str) -> str:
    """Start it, expecting one sentence and a failing exit code; returns the sentence."""
    done = subprocess.run(
        command(data, ports),
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | environment,
    )
    assert done.returncode == 1
    sentence = done.stderr.strip()
    assert "\n" not in sentence
    assert "Traceback" not in done.stdout + done.stderr
    return sentence


@pytest.fixture
def light(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path, Ports]]:
    """A running system without the services that load models."""
    ports = free_ports()
    without = ("embedding", "transcription", "call_type", "knowledge")
    options = [word for name in without for word in ("--without", name)]
    process = subprocess.Popen(
        command(tmp_path / "data", ports, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "all services ready" in line:
            break
    else:
        process.stdout.close()
        pytest.fail("it ended before it was ready:\n" + "".join(lines))
    yield process, tmp_path / "data", ports
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(40)
    process.stdout.close()


def test_ctrl_c_leaves_no_process_behind(
    light: tuple[subprocess.Popen[str], Path, Ports],
) -> None:
    process, _, ports = light
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 6
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    assert [child for child in children if child.is_running()] == []
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", ports.nats))


def test_even_kill_9_of_the_parent_leaves_none(
    light: tuple[subprocess.Popen[str], Path, Ports],
) -> None:
    process, _, _ = light
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait(10)
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert (len(gone), alive) == (len(children), [])


def test_a_service_that_is_killed_is_started_again(
    light: tuple[subprocess.Popen[str], Path, Ports],
) -> None:
    process, _, _ = light
    [victim] = [
        child
        for child in psutil.Process(process.pid).children()
        if "services.escalation" in child.cmdline()
    ]
    victim.kill()
    assert process.stdout
    deadline = time.monotonic() + 60
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "escalation" in line and line.rstrip().endswith("ready"):
            return
        assert time.monotonic() < deadline
    pytest.fail("".join(seen))


def test_starting_twice_on_one_directory_is_refused_in_a_sentence(
    light: tuple[subprocess.Popen[str], Path, Ports],
) -> None:
    _, data, _ = light
    assert "runs already" in refused(data, free_ports())


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    ports = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports.door))
        taken.listen()
        sentence = refused(tmp_path / "data", ports)
    assert f"port {ports.door} is in use" in sentence
    assert "--door-port" in sentence


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    assert "choose another --data directory" in refused(blocked / "data", free_ports())


def test_a_missing_model_is_named_and_stops_the_start(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such-model")
    sentence = refused(tmp_path / "data", free_ports(), BANXI_ASR__VOSK_MODEL=missing)
    assert sentence.startswith("transcription stopped")
    assert "no-such-model" in sentence


def test_the_settings_of_up_itself_are_checked_first(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "data", free_ports()),
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"BANXI_SITE": "two words"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("BANXI_SITE: ")
