"""`banxi replay`: play recordings through the audio door, or scripts without sound on the bus."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from nats.errors import Error as NatsError

from contracts.base import Role
from contracts.door import Codec
from services.common.bus import Bus
from services.common.settings import ServiceSettings, load
from services.common.waiting import stream_trouble
from tools.connection import BusUnreachable, connected, token_of
from tools.door_client import DOOR, DoorRefused, DoorUnreachable, Played, play
from tools.recordings import HungUpBy, Recording, RecordingError, read_recording
from tools.scripted_calls import ScriptError, perform, read_script, timeline

__all__ = ["Played", "Recording", "RecordingError", "play", "read_recording", "replay"]

PLAYED_WRONG = 1
BAD_FILE = 2
INTERRUPTED = 130
HANG_UP: Mapping[str, HungUpBy] = {
    "agent": "agent",
    "caller": "caller",
    "transfer": "transfer",
    "unknown": "unknown",
}

Job = Callable[[], Awaitable[object]]


def replay(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Stereo recordings: WAV, FLAC, OGG.", show_default=False),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(min=0, help="1 = real time, 4 = four times as fast, 0 = as fast as it goes."),
    ] = 1.0,
    agent: Annotated[str | None, typer.Option(help="工号 of the agent.")] = None,
    caller: Annotated[str | None, typer.Option(help="Number of the caller.")] = None,
    region: Annotated[str | None, typer.Option(help="Region the call is about.")] = None,
    call_id: Annotated[
        str | None, typer.Option(help="Id of the call; a new one is made up without it.")
    ] = None,
    left: Annotated[Role, typer.Option(help="Who is on the left channel.")] = "agent",
    hangup: Annotated[
        str | None,
        typer.Option(
            metavar="BY@SECOND",
            help="Hang up there even if the file goes on: caller@77.4, agent@12, transfer@60.",
        ),
    ] = None,
    codec: Annotated[Codec, typer.Option(help="How samples are sent.")] = "pcm16le",
    repeat: Annotated[int, typer.Option(min=1, help="Play everything so many times.")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, help="Calls at a time.")] = 1,
    url: Annotated[str, typer.Option(envvar="BANXI_DOOR_URL", help="The audio door.")] = DOOR,
    token: Annotated[
        str | None,
        typer.Option(envvar="BANXI_DOOR_TOKEN", help="Token of the door.", show_default=False),
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Site of the system; BANXI_SITE without it.")
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            help="Play this script without sound instead: its speech, words and progress are "
            "published on the bus at the pace of talk. For tests and load."
        ),
    ] = None,
    calls: Annotated[int, typer.Option(min=1, help="With --script: so many calls of it.")] = 1,
    nats_url: Annotated[
        str | None,
        typer.Option("--nats", help="With --script: the NATS server; BANXI_NATS_URL without it."),
    ] = None,
) -> None:
    """Play recorded calls through the door a telephone exchange uses.

    A recording has the agent on one channel and the caller on the other. What is known of the
    call (agent_id, caller_number, region, hangup {by, at}) is taken from NAME.json beside
    NAME.wav, where there is one; options come first.

    Examples: `banxi replay call.wav`, `banxi replay --speed 4 --concurrency 2 calls/*.flac`,
    `banxi replay --script talk.json --calls 50 --concurrency 10`.
    """
    if bool(files) == bool(script):
        _stop("name recordings to play, or one script with --script; see --help", BAD_FILE)
    settings = load(ServiceSettings)
    site = site or settings.site
    try:
        if script:
            work = _perform(script, calls, call_id, settings, nats_url, site, speed, concurrency)
        else:
            by, at_s = _hangup(hangup)
            recordings = [read_recording(path, left=left) for path in files or ()] * repeat

            def job(recording: Recording, name: str) -> Job:
                return lambda: play(
                    recording,
                    call_id=name,
                    url=url,
                    site=site,
                    agent_id=agent,
                    caller_number=caller,
                    region=region,
                    speed=speed,
                    stop_by=by,
                    stop_at_s=at_s,
                    codec=codec,
                    token=token,
                )

            names = _names([recording.name for recording in recordings], call_id)
            for recording in {r.name: r for r in recordings if r.note}.values():
                typer.echo(f"{recording.name}: {recording.note}", err=True)
            jobs = {n: job(r, n) for n, r in zip(names, recordings, strict=True)}
            work = _all(jobs, concurrency)
        failed = asyncio.run(work)
    except (RecordingError, ScriptError) as error:
        _stop(str(error), BAD_FILE)
    except BusUnreachable as error:
        _stop(str(error), PLAYED_WRONG)
    except KeyboardInterrupt:
        _stop("stopped", INTERRUPTED)
    if failed:
        raise typer.Exit(PLAYED_WRONG)


async def _perform(
    path: Path,
    calls: int,
    call_id: str | None,
    settings: ServiceSettings,
    nats_url: str | None,
    site: str,
    speed: float,
    concurrency: int,
) -> int:
    """Play a script on the bus. Returns how many calls failed."""
    script = read_script(path)
    address = nats_url or settings.nats_url
    async with connected(address, token_of(settings)) as client:
        bus = Bus(client, site=site, service="replay")
        if trouble := await stream_trouble(bus.js):
            raise BusUnreachable(trouble)

        def job(name: str) -> Job:
            return lambda: perform(bus, timeline(script, name, site), speed=speed)

        names = _names([path.stem] * calls, call_id)
        return await _all({name: job(name) for name in names}, concurrency)


async def _all(jobs: Mapping[str, Job], concurrency: int) -> int:
    """Run jobs, some at a time. What fails is named; the others go on. Returns how many failed."""
    slots = asyncio.Semaphore(concurrency)
    failed = 0

    async def one(name: str, job: Job) -> None:
        nonlocal failed
        async with slots:
            typer.echo(f"{name}: playing", err=True)
            try:
                await job()
            except (DoorRefused, DoorUnreachable, NatsError, TimeoutError) as error:
                failed += 1
                typer.echo(f"{name}: {error}", err=True)
            else:
                typer.echo(f"{name}: over", err=True)

    async with asyncio.TaskGroup() as group:
        for name, job in jobs.items():
            group.create_task(one(name, job))
    return failed


def _names(stems: Sequence[str], call_id: str | None) -> list[str]:
    """An id for every call: the one that was given, numbered where there are several."""
    if call_id and len(stems) == 1:
        return [call_id]
    stamp = datetime.now().strftime("%m%d-%H%M%S")
    bases = [call_id or f"{re.sub('[^A-Za-z0-9_-]', '-', stem)[:40]}-{stamp}" for stem in stems]
    return bases if len(bases) == 1 else [f"{base}-{n}" for n, base in enumerate(bases, 1)]


def _hangup(text: str | None) -> tuple[HungUpBy | None, float | None]:
    """`caller@77.4` → who hangs up and at which second."""
    if text is None:
        return None, None
    by, _, second = text.partition("@")
    try:
        return HANG_UP[by], float(second)
    except (KeyError, ValueError):
        _stop(f"--hangup {text}: write it as caller@77.4 (agent, caller or transfer)", BAD_FILE)


def _stop(sentence: str, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
