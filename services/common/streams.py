"""The streams of the bus. `banxi up` (or an operator's job) declares them; services only check."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, SubjectTransform
from nats.js.errors import APIError, NotFoundError

from contracts.subjects import PARTITIONS, ROOT

CALLS = "BANXI_CALLS"
AUDIO = "BANXI_AUDIO"
DEAD = "BANXI_DEAD"

DAY = 24 * 3600.0
GIB = 1024**3
NO_LIMIT = float("inf")


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


async def declare(js: JetStreamContext, replicas: int | None = None) -> None:
    """Create the streams, or bring existing ones to our settings. The one place that does.

    `replicas`: copies in a cluster; None leaves an existing stream as many as it has, and gives a
    new one a single copy. Raises APIError, saying which stream, where the server refuses.
    """
    for config in definitions(replicas or 1):
        assert config.name
        try:
            found = (await js.stream_info(config.name)).config
        except NotFoundError:
            await _named(config.name, js.add_stream(config))
            continue
        if replicas is None:
            config = replace(config, num_replicas=found.num_replicas)
        await _named(config.name, js.update_stream(config))


async def _named(name: str | None, asking: Awaitable[object]) -> None:
    try:
        await asking
    except APIError as error:
        error.description = f"stream {name}: {error.description}"
        raise


async def differences(js: JetStreamContext) -> list[str]:
    """What of the streams on the server is not as our work needs it: a sentence each, nothing where
    all is well. Raises what nats-py raises where the server does not tell."""
    found = []
    for wanted in definitions():
        assert wanted.name
        try:
            there = (await js.stream_info(wanted.name)).config
        except NotFoundError:
            found.append(f"stream {wanted.name} is missing: run `banxi streams declare`")
        else:
            found += [
                f"stream {wanted.name} has {name} {_text(is_)}, and {_text(need)} is needed: "
                "run `banxi streams declare`, or remove the stream if it is not ours"
                for name, is_, need in differing(there, wanted)
            ]
    return found


def differing(there: StreamConfig, wanted: StreamConfig) -> list[tuple[str, object, object]]:
    """(setting, what it is, what it must be) of a stream. Keeping more, or longer, than ours does
    no harm; how many copies there are is the operator's."""
    same: list[tuple[str, Callable[[StreamConfig], object]]] = [
        ("subjects", lambda config: sorted(config.subjects or ())),
        ("subject_transform", lambda config: _transform(config.subject_transform)),
        ("storage", lambda config: StorageType(config.storage or StorageType.FILE).value),
        ("retention", lambda config: RetentionPolicy(config.retention).value),
        ("discard", lambda config: DiscardPolicy(config.discard).value),
        ("sealed", lambda config: bool(config.sealed)),
        ("no_ack", lambda config: bool(config.no_ack)),
    ]
    found = [
        (name, value(there), value(wanted)) for name, value in same if value(there) != value(wanted)
    ]
    if wanted.allow_direct and not there.allow_direct:
        found.append(("allow_direct", False, True))
    limits = ("max_age", "max_bytes", "max_msgs", "max_msgs_per_subject", "max_msg_size")
    for name in limits:
        is_, need = _limit(there, name), _limit(wanted, name)
        if is_ < need:
            found.append((name, is_, "no limit" if need == NO_LIMIT else need))
    if (there.duplicate_window or 0) < (wanted.duplicate_window or 0):
        found.append(("duplicate_window", there.duplicate_window or 0, wanted.duplicate_window))
    return found


def _limit(config: StreamConfig, name: str) -> float:
    value = getattr(config, name, None)
    return float(value) if value is not None and value > 0 else NO_LIMIT


def _transform(transform: SubjectTransform | None) -> str:
    return f"{transform.src} to {transform.dest}" if transform else "none"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
