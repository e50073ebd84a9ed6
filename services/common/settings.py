"""Settings: environment variables with the prefix `BANXI_`, checked at start.

`BANXI_SITE=main`, `BANXI_ASR__VOSK_MODEL=/models/cn` (two underscores step into a group).

One environment may serve all services, so each meets the others' settings. What belongs to none is
a typing error and refused: all names stand in `data/settings.txt`, which `banxi settings --write`
makes of the services' own models.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.base import ID_PATTERN
from services.common.failure import FULL

HostedSettings = TypeVar("HostedSettings", bound="ServiceSettings")

PREFIX = "BANXI_"
NAMES = Path(__file__).parent / "data" / "settings.txt"
"""Every setting there is, one a line."""
Port = Annotated[int, Field(ge=1, le=65535)]
BAD_SETTING = 2
"""Exit code where a setting is wrong."""


class ServiceSettings(BaseSettings):
    """What every service needs. A service's own `settings.py` adds its groups."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    site: Annotated[str, StringConstraints(pattern=ID_PATTERN)] = "main"
    """The hotline site this system serves."""
    nats_url: Annotated[str, StringConstraints(pattern=r"^(nats|tls|wss?)://\S+$")] = (
        "nats://127.0.0.1:4222"
    )
    """Address of the NATS server: `nats://host:port`, or tls, ws, wss."""
    nats_token: SecretStr | None = None
    """Token for NATS, where the server asks for one."""
    data_dir: Path = Path("data")
    """Directory for databases and indexes; created when missing."""
    log_level: Annotated[str, StringConstraints(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """How much is logged."""
    health_port: Port | None = None
    """Port of `/healthz`, `/readyz` and `/metrics`; None = they are not served."""
    health_host: str = "127.0.0.1"
    """Address they listen on. They tell no callers' data and ask nobody for a token; an address
    that is not loopback is allowed only where `nats_token` is set."""

    @model_validator(mode="after")
    def _open_health_needs_credentials(self) -> ServiceSettings:
        if self.health_port and not is_loopback(self.health_host) and not self.nats_token:
            raise ValueError(
                "BANXI_HEALTH_HOST is not loopback: set BANXI_NATS_TOKEN, or use 127.0.0.1"
            )
        return self


class ListenerSettings(ServiceSettings):
    """For services with an address of their own. Loopback needs no token; anything else does."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    door_token: SecretStr | None = None
    """Token a client must show (`Authorization: Bearer …`) where the address is not loopback."""

    @model_validator(mode="after")
    def _open_address_needs_token(self) -> ListenerSettings:
        if not is_loopback(self.host) and not (self.door_token and self.nats_token):
            raise ValueError(
                "BANXI_HOST is not loopback: set BANXI_DOOR_TOKEN and BANXI_NATS_TOKEN, "
                "or use 127.0.0.1"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether an address is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(model: type[HostedSettings]) -> HostedSettings:
    """Read settings from the environment; on a mistake say which one in a sentence, exit 2."""
    known = known_names()
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            _refuse(_unknown(name, known))
    try:
        loaded = model()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        where = _variable(str(part) for part in first["loc"])
        _refuse(f"{where}: {message}" if first["loc"] else message)
    for name, path in _files(loaded):
        if not path.exists():
            _refuse(f"{name}: there is no {path}")
    return loaded


def known_names() -> frozenset[str]:
    """Every environment variable that is ours."""
    return frozenset(NAMES.read_text(encoding="utf-8").split())


def _unknown(name: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.0)
    return f"{name}: no such setting; the nearest is {nearest[0]} (`banxi settings` lists all)"


def _variable(parts: Iterable[str]) -> str:
    return PREFIX + "__".join(parts).upper()


def _files(group: BaseModel, *path: str) -> Iterator[tuple[str, Path]]:
    """Files and directories that must be there because somebody named them; a data directory is
    made where it is missing."""
    for name in group.model_fields_set:
        value = getattr(group, name)
        if isinstance(value, BaseModel):
            yield from _files(value, *path, name)
        elif isinstance(value, Path) and name != "data_dir":
            yield _variable((*path, name)), value


def _refuse(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(BAD_SETTING)


def prepare_directory(path: Path) -> Path:
    """Create a directory and see that it can be written; else one sentence, exit 2. A full disk is
    left to the parts that need it: they wait for room."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        if error.errno in FULL:
            return path
        sys.stderr.write(
            f"BANXI_DATA_DIR: cannot write to {path} ({error.strerror}); "
            "choose another directory or change its permissions\n"
        )
        raise SystemExit(2) from None
    return path
