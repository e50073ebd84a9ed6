"""`banxi settings`: every setting of every service, from the models themselves."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, SecretStr
from rich.console import Console
from rich.table import Table

from services.common.settings import NAMES, ListenerSettings, ServiceSettings
from tools.system import SERVICES

DOCUMENT = Path(__file__).parent.parent / "docs" / "settings.md"

COMMAND = (
    ("BANXI_DOOR_URL", "ws://127.0.0.1:7710/v1/audio", "The audio door `banxi replay` plays to."),
)
"""What the `banxi` command alone reads."""
TESTS = ("BANXI_CHROMIUM", "BANXI_PICTURES", "BANXI_SCREENSHOTS")
"""What only our own tests read."""

Row = tuple[str, str, str]
"""Name of the environment variable, its default, what it means."""


def settings(
    write: Annotated[
        bool, typer.Option(help="Write docs/settings.md instead, and the names that services know.")
    ] = False,
) -> None:
    """Show every setting: an environment variable, its default, what it means.

    A setting that is wrong stops the service that reads it, with a sentence naming it; a name that
    begins with BANXI_ and is none of these stops every service.
    """
    if write:
        DOCUMENT.write_text(document(), encoding="utf-8")
        NAMES.write_text(names(), encoding="utf-8")
        typer.echo(f"written: {DOCUMENT}, {NAMES}")
        return
    for title, rows in reference().items():
        table = Table("variable", "default", "meaning", title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        Console().print(table)


def reference() -> dict[str, list[Row]]:
    """Settings by who reads them: every service, services with an address, then each its own."""
    common = _rows(ServiceSettings)
    listener = [row for row in _rows(ListenerSettings) if row not in common]
    found = {"every service": common, "services with an address": listener}
    for name in SERVICES:
        model = importlib.import_module(f"services.{name}.settings").Settings
        own = [row for row in _rows(model) if row not in common and row not in listener]
        if own:
            found[name] = own
    found["the banxi command"] = list(COMMAND)
    return found


def names() -> str:
    """Every name there is, one a line, for services to tell a typing error by."""
    ours = {name for rows in reference().values() for name, _, _ in rows}
    return "\n".join(sorted(ours.union(TESTS))) + "\n"


def _rows(model: type[BaseModel], prefix: str = "BANXI_") -> list[Row]:
    rows: list[Row] = []
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            rows += _rows(field.annotation, f"{variable}__")
        else:
            meaning = " ".join((field.description or "").split())
            rows.append((variable, _shown(field.get_default(call_default_factory=True)), meaning))
    return rows


def _shown(default: Any) -> str:
    if default is None:
        return "none"
    if isinstance(default, Path) and default.is_absolute():
        # A file that comes with us; where it lies differs from machine to machine.
        return f"{default.parent.parent.name}/{default.parent.name}/{default.name}"
    return "set" if isinstance(default, SecretStr) else str(default)


def document() -> str:
    """The reference as Markdown."""
    lines = [
        "# Settings",
        "",
        "Environment variables, read at start; two underscores step into a group. A wrong one",
        "stops the service that reads it, with a sentence naming it; a name that begins with",
        "`BANXI_` and is none of these stops every service.",
        "Written by `banxi settings --write`.",
    ]
    for title, rows in reference().items():
        lines += ["", f"## {title}", "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | `{default}` | {meaning} |" for name, default, meaning in rows]
    return "\n".join(lines) + "\n"
