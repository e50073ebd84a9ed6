"""The `banxi` command: every part of `tools/` under one roof."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer

app = typer.Typer(
    name="banxi",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

HELP = (
    "Banxi 伴席: sits beside every agent of a hotline.\n\n"
    "First steps: `banxi demo` shows the whole system on sample calls; `banxi up` starts it "
    "for real, `banxi users add` makes accounts, `banxi kb import` brings your answers, "
    "`banxi replay call.wav` plays a recording through the audio door. "
    "Settings are environment variables: `banxi settings` lists them."
)


@app.callback(help=HELP)
def banxi() -> None:
    """Keeps the name of the command even where `build` adds a single one."""


COMMANDS: dict[str, tuple[str, str]] = {
    # name of the command: module of tools/, function or typer app in it
    "up": ("tools.up", "up"),
    "status": ("tools.up", "status"),
    "demo": ("tools.demo", "demo"),
    "replay": ("tools.replay", "replay"),
    "purge": ("tools.purge", "purge"),
    "score": ("tools.score", "score"),
    "settings": ("tools.settings_reference", "settings"),
}
GROUPS: dict[str, tuple[str, str]] = {
    "users": ("tools.users", "app"),
    "kb": ("tools.kb", "app"),
    "rules": ("tools.rules", "app"),
    "eval": ("tools.evaluate.commands", "app"),
    "bench": ("tools.bench", "app"),
    "train": ("tools.train.commands", "app"),
    "contracts": ("tools.contracts", "app"),
    "streams": ("tools.streams", "app"),
    "deploy": ("tools.deploy.commands", "app"),
}


def build(arguments: list[str]) -> typer.Typer:
    """The command with what `arguments` need. Only the group that is named is imported whole:
    some of them bring models' libraries, and `banxi status` must not wait for those."""
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    for name, (module, attribute) in COMMANDS.items():
        if wanted in (None, name) and (part := _part(module, attribute, needed=wanted is not None)):
            app.command(name)(part)
    for name, (module, attribute) in GROUPS.items():
        if wanted in (None, name) and (part := _part(module, attribute, needed=wanted is not None)):
            app.add_typer(part, name=name)
    if wanted is not None and wanted not in (*COMMANDS, *GROUPS):
        return build([])
    return app


def _part(module: str, attribute: str, *, needed: bool) -> Any:
    """A command or a group; None where this installation has not what it needs, as the images of
    `deploy/docker` have not, and nobody named it."""
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("contracts", "services", "tools"):
            raise
        if needed:
            sys.exit(f"this installation of banxi has no {error.name}, which this command needs")
        return None


def main() -> None:
    """Entry point of the command."""
    build(sys.argv[1:])()
