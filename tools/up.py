"""`banxi up` and `banxi status`: start the whole system, see how it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.requests import Describe, Description
from services.common.bus import Bus, RequestFailed
from services.common.settings import ServiceSettings, load
from tools.connection import BusUnreachable, connected, token_of
from tools.system import SERVICES, CannotStart, Ports, System

COLOURS = (32, 33, 34, 35, 36, 92, 93, 94, 95, 96)
"""ANSI colours, one a process."""

DataOption = Annotated[Path, typer.Option("--data", help="Directory for databases and indexes.")]
NatsPort = Annotated[int, typer.Option(help="Port of nats-server.")]
DoorPort = Annotated[int, typer.Option(help="Port of the audio door.")]
DeskPort = Annotated[int, typer.Option(help="Port of the pages.")]


def prefixed(name: str, line: str) -> None:
    """Print a process's log line behind its name."""
    label = f"{name:>13}"
    if sys.stdout.isatty():
        colour = COLOURS[hash_of(name) % len(COLOURS)]
        label = f"\x1b[{colour}m{label}\x1b[0m"
    print(f"{label} | {line}", flush=True)


def hash_of(name: str) -> int:
    """A small number for a name, the same in every run."""
    return (*SERVICES, "nats").index(name) if name in (*SERVICES, "nats") else 0


def stop_on_signals(over: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM set `over`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)


def up(
    data: DataOption = Path("data"),
    nats_port: NatsPort = 4222,
    door_port: DoorPort = 7710,
    desk_port: DeskPort = 7700,
    nats_url: Annotated[
        str | None, typer.Option("--nats", help="Use this NATS server instead of starting one.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave a service out, for instance to bring your own; may be repeated."),
    ] = None,
) -> None:
    """Start nats-server and every service; Ctrl-C stops them all.

    Logs of all processes come here, each line behind the name of its process. A service that
    fails is started again. The pages are then at http://127.0.0.1:7700 (sign in with an account
    of `banxi users`), the audio door at ws://127.0.0.1:7710/v1/audio.
    """
    if unknown := set(without or ()) - set(SERVICES):
        typer.echo(
            f"no such service: {', '.join(unknown)}; there are {', '.join(SERVICES)}", err=True
        )
        raise typer.Exit(2)
    ports = Ports(nats_port, door_port, desk_port)
    system = System(
        data.resolve(),
        ports,
        say=prefixed,
        nats_url=nats_url,
        site=load(ServiceSettings).site,
        without=without or (),
    )
    try:
        asyncio.run(_up(system, ports))
    except CannotStart as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


async def _up(system: System, ports: Ports) -> None:
    stop_on_signals(system.over)
    try:
        await system.start()
        ready = asyncio.create_task(_announce(system, ports))
        await system.over.wait()
        ready.cancel()
    finally:
        await system.stop()
    if system.gave_up:
        raise CannotStart(system.gave_up)


async def _announce(system: System, ports: Ports) -> None:
    with contextlib.suppress(CannotStart):
        await system.wait_ready()
        prefixed("banxi", f"all services ready; pages: http://127.0.0.1:{ports.desk}")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show every service: whether it is ready, its models, memory and figures.

    Asks each service on the bus (BANXI_NATS_URL, by default nats://127.0.0.1:4222).
    Exit code 1 when one of them is missing or not ready.
    """
    settings = load(ServiceSettings)
    try:
        said = asyncio.run(_ask_all(settings))
    except BusUnreachable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        rows = {name: d.model_dump(mode="json") if d else None for name, d in said.items()}
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        Console().print(_table(said))
    if not all(d and d.ready for d in said.values()):
        raise typer.Exit(1)


async def _ask_all(settings: ServiceSettings) -> dict[str, Description | None]:
    async with connected(settings.nats_url, token_of(settings)) as client:
        bus = Bus(client, site=settings.site, service="status")

        async def ask(name: str) -> Description | None:
            try:
                return await bus.request_of(name, Describe(), Description, timeout_s=3)
            except RequestFailed:
                return None

        answers = await asyncio.gather(*(ask(name) for name in SERVICES))
    return dict(zip(SERVICES, answers, strict=True))


def _table(said: dict[str, Description | None]) -> Table:
    table = Table("service", "state", "pid", "memory", "models", "figures", show_lines=True)
    table.columns[-1].overflow = "fold"
    for name, description in said.items():
        if description is None:
            table.add_row(name, "[red]not running[/]", "", "", "", "")
            continue
        state = f"[yellow]{escape(description.detail)}[/]"
        if description.ready:
            # A service may be ready and still have something to say: rules that were not reloaded.
            state = f"[green]ready[/]\n{state}" if description.detail else "[green]ready[/]"
        models = ", ".join(f"{m.name} {m.version}" for m in description.models)
        figures = " ".join(f"{k}={v:g}" for k, v in sorted(description.figures.items()))
        memory = f"{description.rss_mb:.0f} MB"
        table.add_row(name, state, str(description.pid), memory, models, figures)
    return table
