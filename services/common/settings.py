"""Settings: environment variables with the prefix `BANXI_`, checked at start.

`BANXI_SITE=main`, `BANXI_ASR__VOSK_MODEL=/models/cn` (two underscores step into a group).
"""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, SecretStr, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.base import ID_PATTERN

HostedSettings = TypeVar("HostedSettings", bound="ServiceSettings")


class ServiceSettings(BaseSettings):
    """What every service needs. A service's own `settings.py` adds its groups."""

    model_config = SettingsConfigDict(
        env_prefix="BANXI_",
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    site: Annotated[str, StringConstraints(pattern=ID_PATTERN)] = "main"
    """The hotline site this system serves."""
    nats_url: str = "nats://127.0.0.1:4222"
    """Address of the NATS server."""
    nats_token: SecretStr | None = None
    """Token for NATS, where the server asks for one."""
    data_dir: Path = Path("data")
    """Directory for databases and indexes; created when missing."""
    log_level: Annotated[str, StringConstraints(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """How much is logged."""


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
                "host is not loopback: set BANXI_DOOR_TOKEN and BANXI_NATS_TOKEN, or use 127.0.0.1"
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


Port = Annotated[int, Field(ge=1, le=65535)]


def load(model: type[HostedSettings]) -> HostedSettings:
    """Read settings from the environment; on a mistake say which one in a sentence, exit 2."""
    try:
        return model()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "BANXI_" + "__".join(str(part) for part in first["loc"]).upper()
        where = name if first["loc"] else "settings"
        sys.stderr.write(f"{where}: {first['msg']}\n")
        raise SystemExit(2) from None


def prepare_directory(path: Path) -> Path:
    """Create a directory and see that it can be written; else one sentence, exit 2."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        sys.stderr.write(
            f"BANXI_DATA_DIR: cannot write to {path} ({error.strerror}); "
            "choose another directory or change its permissions\n"
        )
        raise SystemExit(2) from None
    return path
