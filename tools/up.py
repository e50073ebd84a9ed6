"""`banxi up` and `banxi status`: start the whole system, see how it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.requests import Describe, Description
from services.common.bus import Bus
from services.common.settings import ServiceSettings, load
from tools.connection import BusUnreachable, connected, token_of
from tools.system import SERVICES, CannotStart, Ports, System

COLOURS = (32, 33, 34, 35, 36, 92, 93, 94, 95, 96)
"""ANSI colours, one a process."""

IN_THE_TABLE = ("partitions{", "consumer_lag{", "queue_limit{")
"""Beginnings of the figures that the table of `banxi status` shows, or that never change."""

DataOption = Annotated[Path, typer.Option("--data", help="Directory for databases and indexes.")]
NatsPort = Annotated[int, typer.Option(help="Port of nats-server.")]
DoorPort = Annotated[int, typer.Option(help="Port of the audio door.")]
DeskPort = Annotated[int, typer.Option(help="Port of the pages.")]
HealthPort = Annotated[
    int, typer.Option(help="First port of health and figures, one a service; 0 = none.")
]


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
    health_port: HealthPort = 7720,
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
    of `banxi users`), the audio door at ws://127.0.0.1:7710/v1/audio. Each service tells how it is
    at a port of its own from 7720 on: /healthz, /readyz, /metrics (see `banxi status`).
    """
    if unknown := set(without or ()) - set(SERVICES):
        typer.echo(
            f"no such service: {', '.join(unknown)}; there are {', '.join(SERVICES)}", err=True
        )
        raise typer.Exit(2)
    ports = Ports(nats_port, door_port, desk_port, health_port or None)
    settings = load(ServiceSettings)
    system = System(
        data.resolve(),
        ports,
        say=prefixed,
        nats_url=nats_url,
        nats_token=token_of(settings) if nats_url else None,
        site=settings.site,
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
    figures: Annotated[bool, typer.Option(help="Also every figure of each process.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, figures too.")] = False,
) -> None:
    """Show every process of every service: whether it is ready, its partitions, lag and models.

    Asks on the bus (BANXI_NATS_URL, by default nats://127.0.0.1:4222); where a service has
    replicas, each answers. `partitions` are those of the kept stream that a process
    follows, and for how many it stands by; `lag` how many kept events its service has not finished.
    A process that is ready may lack something and do the rest of its work: its state says what.
    Exit code 1 when a service is missing or one of its processes not ready.
    """
    settings = load(ServiceSettings)
    try:
        said = asyncio.run(_ask_all(settings))
    except BusUnreachable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        rows = {n: [d.model_dump(mode="json") for d in replicas] for n, replicas in said.items()}
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        console = Console()
        console.print(status_table(said))
        if figures:
            for line in figure_lines(said):
                console.print(line)
    if not all(replicas and all(d.ready for d in replicas) for replicas in said.values()):
        raise typer.Exit(1)


async def _ask_all(settings: ServiceSettings) -> dict[str, list[Description]]:
    """Service → what each of its processes says."""
    async with connected(settings.nats_url, token_of(settings)) as client:
        bus = Bus(client, site=settings.site, service="status")
        answers = await bus.ask_every(SERVICES, Describe(), Description)
    said: dict[str, list[Description]] = {name: [] for name in SERVICES}
    for answer in sorted(answers, key=lambda d: (d.instance, d.pid)):
        said.setdefault(answer.service, []).append(answer)
    return said


def status_table(said: Mapping[str, Sequence[Description]]) -> Table:
    """The answers for people: a row a process."""
    table = Table(
        *("service", "where", "state", "partitions", "lag", "memory", "models"), show_lines=True
    )
    table.columns[-1].overflow = "fold"
    for name, replicas in said.items():
        if not replicas:
            table.add_row(name, "", "[red]not running[/]")
        for description in replicas:
            table.add_row(name, *_row(description))
    return table


def _row(description: Description) -> tuple[str, ...]:
    state = f"[yellow]{escape(description.detail)}[/]"
    if description.ready:
        # It may be ready and still have something to say: vectors that are being made.
        state = f"[green]ready[/]\n{state}" if description.detail else "[green]ready[/]"
    figures = description.figures
    standby = figures.get("partitions{standby}")
    partitions = " ".join(map(str, description.partitions)) or "-"
    if standby:
        partitions = f"{partitions}\n{standby:g} standby"
    lag = [value for key, value in figures.items() if key.startswith("consumer_lag{")]
    return (
        f"{description.instance}\n{description.pid}",
        state,
        "" if standby is None else partitions,
        f"{sum(lag):g}" if lag else "",
        f"{description.rss_mb:.0f} MB",
        "\n".join(f"{m.name} {m.version}" for m in description.models),
    )


def figure_lines(said: Mapping[str, Sequence[Description]]) -> Iterator[str]:
    """A line a process: its figures, without those that the table shows."""
    for name, replicas in said.items():
        for description in replicas:
            # Those by label are many: what never happened is left out, and who asked just now.
            shown = (
                f"{figure}={value:g}"
                for figure, value in sorted(description.figures.items())
                if figure not in ("ready", "lacking")
                and not figure.startswith(IN_THE_TABLE)
                and "{describe" not in figure
                and (value or "{" not in figure)
            )
            yield f"[bold]{name}[/] {description.pid}: " + escape(" ".join(shown))
