"""`banxi bench pipeline`: what per-call consumption costs beside bare nats-py, in one run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import nats
import nats.errors
import typer
from nats.aio.client import Client
from rich.console import Console
from rich.table import Table

from contracts.base import Event
from contracts.speech import SpeechStarted
from services.common import streams
from services.common.bus import Bus
from services.common.calls import Happening, Outcome
from services.common.consumer import CallConsumer
from tools.evaluate.call_scores import quantile
from tools.system import free_ports, listening, nats_server

SITE = "bench"
CALLS = 20
WARM_UP = 40
"""First events, not counted: connections and code warm up."""


def pipeline(
    events: Annotated[int, typer.Option(min=100, help="Events to send each way.")] = 1000,
    rate: Annotated[float, typer.Option(help="Events a second.")] = 200.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """One hop over JetStream, publish to handler: ours beside bare nats-py.

    Both send the same payload at the same pace to a private nats-server and wait for the server's
    acknowledgement; the two take turns in blocks, so that both meet the same noise.
    """
    figures = asyncio.run(_measure(events, rate))
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table("", "bare nats-py", "per-call consumption")
    for name in ("p50", "p99"):
        table.add_row(
            f"{name}, ms", f"{figures[f'bare_{name}'] * 1e3:.2f}", f"{figures[name] * 1e3:.2f}"
        )
    Console().print(table)
    Console().print(
        f"p50 over a bare hop: {figures['p50_over_bare_hop']:.2f}   "
        f"lost {figures['lost']:g}, duplicated {figures['duplicated']:g}"
    )


class _Clock:
    """A handler that notes when each event arrives; `sent` holds when it left."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.took: dict[str, float] = {}
        self.duplicated = 0

    def open(self, call_id: str, site: str) -> None:
        """No state is kept."""

    async def handle(self, state: None, happening: Happening) -> Outcome[None]:
        """Note the arrival."""
        if isinstance(happening, Event):
            self.arrived(happening.event_id)
        return Outcome(state)

    def arrived(self, event_id: str) -> None:
        """An event is here."""
        self.duplicated += event_id in self.took
        self.took[event_id] = time.perf_counter() - self.sent[event_id]


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[Client]:
    with tempfile.TemporaryDirectory(prefix="banxi-bench-") as folder:
        config = Path(folder) / "nats.conf"
        port = free_ports().nats
        config.write_text(
            f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}", max_file: 8GB }}\n'
        )
        server = await asyncio.create_subprocess_exec(
            nats_server(), "-c", str(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            await listening(port)
            client = await nats.connect(f"nats://127.0.0.1:{port}")
            yield client
            await client.close()
        finally:
            server.terminate()
            await server.wait()


async def _measure(count: int, rate: float) -> dict[str, float]:
    async with _server() as client:
        js = client.jetstream()
        await streams.declare(js)
        await js.add_stream(name="BARE", subjects=["bare.>"])
        bus = Bus(client, site=SITE, service="bench")
        ours, bare = _Clock(), _Clock()
        consumer = CallConsumer(bus, ours, log=logging.getLogger("banxi.bench"))
        await consumer.start()
        pull = asyncio.create_task(_pull_bare(client, bare))
        await asyncio.sleep(0.5)
        for number in range(count):
            event = SpeechStarted(
                call_id=f"b{number % CALLS}", site=SITE, at_ms=number, role="agent"
            )
            payload = event.model_dump_json().encode()
            bare.sent[event.event_id] = time.perf_counter()
            await js.publish("bare.x", payload, headers={"Nats-Msg-Id": event.event_id})
            await asyncio.sleep(0.5 / rate)
            ours.sent[event.event_id] = time.perf_counter()
            await bus.publish(event)
            await asyncio.sleep(0.5 / rate)
        await asyncio.sleep(2)
        await consumer.stop()
        pull.cancel()
        await asyncio.gather(pull, return_exceptions=True)
    counted, reference = list(ours.took.values())[WARM_UP:], list(bare.took.values())[WARM_UP:]
    p50, bare_p50 = quantile(counted, 0.5) or 0.0, quantile(reference, 0.5) or 1.0
    return {
        "events": count,
        "p50": p50,
        "p99": quantile(counted, 0.99) or 0.0,
        "bare_p50": bare_p50,
        "bare_p99": quantile(reference, 0.99) or 0.0,
        "p50_over_bare_hop": p50 / bare_p50,
        "lost": count - len(ours.took),
        "duplicated": ours.duplicated,
    }


async def _pull_bare(client: Client, clock: _Clock) -> None:
    subscription = await client.jetstream().pull_subscribe("bare.>", durable="bare", stream="BARE")
    while True:
        try:
            [message] = await subscription.fetch(1, timeout=20)
        except (nats.errors.TimeoutError, TimeoutError):
            continue
        clock.arrived((message.headers or {})["Nats-Msg-Id"])
        await message.ack()
