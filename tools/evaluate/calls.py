"""`banxi eval calls`: play recorded calls through the audio door and judge what came on the bus."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from contracts import subjects
from contracts.base import Event
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.card import CardShown
from contracts.events import NotAContract, read_event
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningRaised, WarningWithdrawn
from services.common import streams
from tools.connection import BusUnreachable, connected
from tools.door_client import DoorRefused, DoorUnreachable, play
from tools.evaluate.call_scores import KINDS, Observed, Raised, Said, judge
from tools.evaluate.report import Report, fail, show, write_predictions
from tools.evaluate.spans import end_ms
from tools.recordings import RecordingError, read_recording
from tools.system import CannotStart, System, free_ports
from tools.up import prefixed

QUIET_S = 12.0
"""A call is read to its end when nothing came for this long after it ended, seconds."""


def calls(
    directory: Annotated[Path, typer.Argument(help="Folder of recordings with .json beside them.")],
    speed: Annotated[float, typer.Option(help="1 = real time.")] = 1.0,
    url: Annotated[
        str | None,
        typer.Option(help="Door of a running system; without it a private one is started."),
    ] = None,
    nats_url: Annotated[
        str, typer.Option("--nats", help="NATS of that running system.")
    ] = "nats://127.0.0.1:4222",
    site: Annotated[str, typer.Option(help="Site of that running system.")] = "main",
    kb: Annotated[
        Path | None, typer.Option(help="Knowledge base for the private system (CSV).")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Calls at a time.")] = 1,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system said, one JSON line a call.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    show_errors: Annotated[bool, typer.Option(help="List misses and false alarms.")] = False,
    verbose: Annotated[bool, typer.Option(help="Show the logs of the private system.")] = False,
) -> None:
    """Play every recorded call of a folder through the audio door and score the alarms.

    Starts a private system (free ports, a temporary directory, the sample base), plays each call
    as `banxi replay` does, hangs up where the ground truth says, reads the outcome from the bus
    alone and stops it all. Recordings without ground truth are played and predicted all the same.
    """
    files = sorted(p for p in directory.glob("*") if p.suffix in (".wav", ".flac"))
    if not files:
        fail(f"{directory}: no .wav or .flac recordings there")
    truths = {path.stem: _truth(path) for path in files}
    try:
        seen = asyncio.run(
            _observe(
                files, truths, speed, url, nats_url, site, kb and kb.resolve(), concurrency, verbose
            )
        )
    except (CannotStart, BusUnreachable, DoorRefused, DoorUnreachable, RecordingError) as error:
        fail(str(error), 1)
    if predictions:
        write_predictions(predictions, (_prediction(call) for call in seen))
    labelled = [(c, t) for c in seen if (t := truths[c.call]) and "events" in t and "script" in t]
    judged = judge(labelled)
    topics = [
        {
            "id": call.call,
            "kind": "cards",
            "expected": truth.get("expected_cards", []),
            "shown": [card["title"] for card in call.cards],
        }
        for call, truth in labelled
    ]
    report = Report(
        "calls",
        n=len(seen),
        metrics=judged.metrics if labelled else {},
        by_category=judged.by_kind if labelled else {},
        grouped={"events": judged.by_kind} if labelled else {},
        errors=[*judged.errors, *topics],
    )
    show(report, as_json=as_json, show_errors=show_errors)


def _truth(recording: Path) -> dict[str, Any]:
    path = recording.with_suffix(".json")
    if not path.exists():
        return {}
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fail(f"{path}: is not JSON")
    return loaded


async def _observe(
    files: Sequence[Path],
    truths: Mapping[str, dict[str, Any]],
    speed: float,
    url: str | None,
    nats_url: str,
    site: str,
    kb: Path | None,
    concurrency: int,
    verbose: bool,
) -> list[Observed]:
    if url:
        async with connected(nats_url) as client:
            return await _play_all(files, truths, speed, url, client, site, concurrency)
    with tempfile.TemporaryDirectory(prefix="banxi-eval-") as folder:
        ports = free_ports()
        environment = {"BANXI_KNOWLEDGE__BASE": str(kb)} if kb else {}
        say = prefixed if verbose else _hush
        system = System(Path(folder), ports, say=say, environment=environment)
        try:
            await system.start()
            await system.wait_ready()
            door = f"ws://127.0.0.1:{ports.door}/v1/audio"
            async with connected(system.nats_url) as client:
                return await _play_all(files, truths, speed, door, client, system.site, concurrency)
        finally:
            await system.stop()


def _hush(_name: str, _line: str) -> None:
    """Say nothing."""


@dataclass
class _Watched:
    """What has come on the bus of one call."""

    started: datetime | None = None
    events: list[Event] = field(default_factory=list)
    ended: bool = False
    last: float = 0.0


async def _play_all(
    files: Sequence[Path],
    truths: Mapping[str, dict[str, Any]],
    speed: float,
    url: str,
    client: Client,
    site: str,
    concurrency: int,
) -> list[Observed]:
    watched: dict[str, _Watched] = {}
    loop = asyncio.get_running_loop()

    async def hear(message: Msg) -> None:
        where = subjects.parse_stored(message.subject)
        if where is None or where.call_id not in watched:
            return
        try:
            event = read_event(where.event, message.data)
        except NotAContract:
            return
        call = watched[where.call_id]
        call.last = loop.time()
        call.events.append(event)
        if isinstance(event, CallStarted):
            call.started = event.wall_time
        call.ended |= isinstance(event, CallEnded)

    await _subscribe(client, site, hear)
    slots = asyncio.Semaphore(concurrency)
    stamp = datetime.now().strftime("%H%M%S")

    async def one(path: Path) -> Observed:
        async with slots:
            call_id = f"{path.stem[:50]}-{stamp}"
            watched[call_id] = _Watched()
            recording = read_recording(path)
            hangup = truths[path.stem].get("hangup") or {}
            await play(
                recording,
                url=url,
                site=site,
                call_id=call_id,
                speed=speed,
                stop_by=hangup.get("by", "unknown"),
                stop_at_s=hangup.get("at"),
            )
            call = watched[call_id]
            call.last = loop.time()
            while not (call.ended and loop.time() - call.last > QUIET_S):
                await asyncio.sleep(0.5)
                if loop.time() - call.last > 10 * QUIET_S:
                    break
            typer.echo(f"{path.stem}: played, {len(call.events)} events", err=True)
            return observed(path.stem, call.events, speed)

    return list(await asyncio.gather(*(one(path) for path in files)))


async def _subscribe(client: Client, site: str, hear: Any) -> Any:
    return await client.jetstream().subscribe(
        subjects.stored_call(site, "*"),
        stream=streams.CALLS,
        ordered_consumer=True,
        deliver_policy=DeliverPolicy.NEW,
        cb=hear,
    )


def observed(name: str, events: Sequence[Event], speed: float) -> Observed:
    """What a call's events amount to. `raised_at` is wall time turned into audio time."""
    started = next((e.wall_time for e in events if isinstance(e, CallStarted)), None)

    def audio_s(event: Event) -> float:
        if started is None:
            return event.at_ms / 1000
        return round((event.wall_time - started).total_seconds() * speed, 2)

    withdrawn = {e.warning_id for e in events if isinstance(e, WarningWithdrawn)}
    raised = [
        Raised(
            e.kind,
            e.at_ms / 1000,
            end_ms(e, events) / 1000,
            audio_s(e),
            e.phrase or e.message,
        )
        for e in events
        if isinstance(e, WarningRaised)
        and e.level == "alarm"
        and e.kind in KINDS
        and e.warning_id not in withdrawn
    ]
    assessed = [e for e in events if isinstance(e, CallTypeAssessed)]
    return Observed(
        call=name,
        events=raised,
        type=assessed[-1].type if assessed else None,
        types=[
            {"at": audio_s(e), "type": e.type, "confidence": round(e.confidence, 3)}
            for e in assessed
        ],
        cards=[
            {
                "at": audio_s(e),
                "source": e.kind,
                "title": e.title,
                "entry": e.source.entry_id if e.source else None,
            }
            for e in events
            if isinstance(e, CardShown)
        ],
        transcript=[
            Said(e.role, e.at_ms / 1000, e.end_ms / 1000, e.text, audio_s(e))
            for e in sorted(
                (e for e in events if isinstance(e, TranscriptFinal)), key=lambda e: e.at_ms
            )
        ],
    )


def _prediction(call: Observed) -> dict[str, object]:
    return asdict(call)
