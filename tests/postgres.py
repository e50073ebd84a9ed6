"""A real PostgreSQL server for tests, where its programs are on the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import free_port

MISSING = (
    "NOT RUN: PostgreSQL is not on this machine: install the Debian package postgresql "
    "(its initdb, pg_ctl and createdb are all that is needed)"
)


def programs() -> Path | None:
    """Where initdb, pg_ctl and createdb are: where Debian puts them, or on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path := shutil.which("initdb"):
        found.insert(0, Path(on_path).resolve())
    whole = [path.parent for path in found if path.with_name("createdb").exists()]
    return whole[-1] if whole else None


class Postgres:
    """A server of its own in a temporary directory; no other user can reach it but by loopback."""

    def __init__(self, bin_: Path, directory: Path) -> None:
        self._bin = bin_
        self._directory = directory
        self._port = free_port()
        # The server refuses to run as root.
        self._user = None
        if os.geteuid() == 0:
            name = next(n for n in ("postgres", "nobody") if _exists(n))
            self._user = pwd.getpwnam(name).pw_name
            shutil.chown(directory, self._user)
        (directory / "password").write_text("geheim")
        (directory / "password").chmod(0o644)
        self._run("initdb", "-A", "scram-sha-256", "-U", "banxi", "--no-sync", "-E", "UTF8",
                  "--locale=C.UTF-8", f"--pwfile={directory / 'password'}")  # fmt: skip

    def start(self) -> None:
        """Start, or start again, on the same port."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self._directory}"
        self._run("pg_ctl", "-w", "-l", str(self._directory / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, with whatever is connected."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def new_database(self) -> str:
        """Make an empty database; its address."""
        name = f"t{uuid.uuid4().hex[:12]}"
        environment = os.environ | {"PGPASSWORD": "geheim"}
        subprocess.run(
            [self._bin / "createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", "banxi", name],
            env=environment,
            check=True,
            capture_output=True,
        )
        return f"postgresql+asyncpg://banxi:geheim@127.0.0.1:{self._port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, "-D", self._directory / "data", *arguments],
            user=self._user,
            cwd=self._directory,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server for as long as needed; skips where there is none."""
    bin_ = programs()
    if bin_ is None:
        pytest.skip(MISSING)
    with tempfile.TemporaryDirectory(prefix="banxi-pg-") as directory:
        server = Postgres(bin_, Path(directory))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
