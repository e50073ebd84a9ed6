"""`banxi demo`: the whole system on the sample calls, two at a time, for ever."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tools.door_client import play
from tools.recordings import Recording, RecordingError, read_recording
from tools.system import CannotStart, Ports, System
from tools.up import DataOption, DeskPort, DoorPort, NatsPort, prefixed, stop_on_signals
from tools.users import DEMO, DemoLink, demo_links

PAUSE_S = 4.0
"""Between two calls of an agent, seconds: wrap-up."""

AGENTS = tuple(agent_id for _, _, agent_id in DEMO if agent_id)
SAMPLES = Path(__file__).parent.parent / "samples" / "calls"


def demo(
    data: DataOption = Path("data/demo"),
    nats_port: NatsPort = 4222,
    door_port: DoorPort = 7710,
    desk_port: DeskPort = 7700,
    samples: Annotated[Path, typer.Option(help="Folder of recordings to play.")] = SAMPLES,
    once: Annotated[bool, typer.Option(help="Play every call once, then stop.")] = False,
) -> None:
    """Start everything and play the sample calls through the audio door, two at a time.

    Prints addresses to open in a browser: the pages of two agents, the wall of the supervisor,
    and the knowledge base as each of its two editors sees it.
    Each link signs in once; several can be open in one browser. Ctrl-C stops everything.
    """
    try:
        ports = Ports(nats_port, door_port, desk_port)
        asyncio.run(_demo(data.resolve(), ports, _recordings(samples), once))
    except (CannotStart, RecordingError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _recordings(samples: Path) -> list[Recording]:
    files = sorted(p for p in samples.glob("*") if p.suffix in (".flac", ".wav"))
    if not files:
        raise CannotStart(f"{samples}: no recordings there")
    return [read_recording(path) for path in files]


async def _demo(data: Path, ports: Ports, recordings: list[Recording], once: bool) -> None:
    system = System(data, ports, say=prefixed)
    stop_on_signals(system.over)
    playing: asyncio.Task[None] | None = None
    try:
        await system.start()
        _print_links(await demo_links(data), ports.desk)
        over = asyncio.create_task(system.over.wait())
        ready = asyncio.create_task(system.wait_ready())
        await asyncio.wait({over, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not system.over.is_set():
            await ready
            prefixed("banxi", "all services ready; playing the sample calls")
            playing = asyncio.create_task(_play_for_ever(recordings, ports, system.site, once))
            await asyncio.wait({over, playing}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
        ready.cancel()
    finally:
        if playing:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
        await system.stop()
    if system.gave_up:
        raise CannotStart(system.gave_up)


def _print_links(links: list[DemoLink], port: int) -> None:
    prefixed("banxi", "open in a browser (each link signs in once; all of them in one browser):")
    for link in links:
        who = f"{link.account.role} {link.account.agent_id or link.account.name}"
        prefixed("banxi", f"  {who:<14} http://127.0.0.1:{port}{link.path}")


async def _play_for_ever(recordings: list[Recording], ports: Ports, site: str, once: bool) -> None:
    """Each demo agent plays every second recording, over and over, in the order of their names."""
    url = f"ws://127.0.0.1:{ports.door}/v1/audio"

    async def agent_plays(number: int, agent_id: str) -> None:
        mine = recordings[number :: len(AGENTS)]
        for recording in mine if once else itertools.cycle(mine):
            stamp = datetime.now().strftime("%m%d-%H%M%S")
            await play(
                recording,
                url=url,
                site=site,
                call_id=f"{recording.name[:40]}-{stamp}",
                agent_id=agent_id,
            )
            await asyncio.sleep(PAUSE_S)

    async with asyncio.TaskGroup() as group:
        for number, agent_id in enumerate(AGENTS):
            group.create_task(agent_plays(number, agent_id))
