"""The streams of the bus. `banxi up` (or an operator's job) declares them; services only check."""

from __future__ import annotations

import asyncio

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, SubjectTransform
from nats.js.errors import NotFoundError

from contracts.subjects import PARTITIONS, ROOT

CALLS = "BANXI_CALLS"
AUDIO = "BANXI_AUDIO"
DEAD = "BANXI_DEAD"

PATIENCE_S = 30.0
"""How long a service waits for the streams at its start, seconds."""
DAY = 24 * 3600.0
GIB = 1024**3


def definitions(replicas: int = 1) -> tuple[StreamConfig, ...]:
    """The three streams. Kept ones have an age and a size limit."""
    return (
        StreamConfig(
            name=CALLS,
            description="every kept event of every call, in order",
            subjects=[f"{ROOT}.*.call.*.>"],
            subject_transform=SubjectTransform(
                src=f"{ROOT}.*.call.*.>",
                dest=f"{ROOT}.{{{{wildcard(1)}}}}.call."
                f"{{{{partition({PARTITIONS},2)}}}}.{{{{wildcard(2)}}}}.>",
            ),
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_age=7 * DAY,
            max_bytes=4 * GIB,
            duplicate_window=120,
            num_replicas=replicas,
            allow_direct=True,
        ),
        StreamConfig(
            name=AUDIO,
            description="100 ms frames of live calls",
            subjects=[f"{ROOT}.*.audio.*.*"],
            storage=StorageType.MEMORY,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_age=120,
            max_bytes=GIB // 4,
            duplicate_window=60,
            num_replicas=replicas,
        ),
        StreamConfig(
            name=DEAD,
            description="messages nobody could read, with the reason",
            subjects=[f"{ROOT}.*.dead.*"],
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_age=30 * DAY,
            max_bytes=GIB // 4,
            duplicate_window=120,
            num_replicas=replicas,
        ),
    )


async def declare(js: JetStreamContext, replicas: int = 1) -> None:
    """Create the streams, or bring existing ones to our settings. The one place that does."""
    for config in definitions(replicas):
        assert config.name
        try:
            await js.stream_info(config.name)
        except NotFoundError:
            await js.add_stream(config)
        else:
            await js.update_stream(config)


class StreamsMissing(RuntimeError):
    """The bus does not have our streams."""


async def wait_for_streams(js: JetStreamContext) -> None:
    """Wait until the streams are there. Raises StreamsMissing, naming what to do."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    for name in (CALLS, AUDIO, DEAD):
        while True:
            try:
                await js.stream_info(name)
                break
            except NotFoundError:
                if asyncio.get_running_loop().time() > deadline:
                    raise StreamsMissing(
                        f"stream {name} is missing on the NATS server: run `banxi up`, "
                        "or `banxi streams declare` against your own server"
                    ) from None
                await asyncio.sleep(0.2)
