"""What stands between a service and its work, in words: the bus it needs, and whether trying again
may help."""

from __future__ import annotations

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, ServiceUnavailableError

from contracts import subjects
from services.common import streams
from services.common.bus import Bus
from services.common.failure import CannotStartYet, may_pass


async def stream_trouble(js: JetStreamContext) -> str:
    """Why the streams cannot be used, in a sentence; empty where they are there and ours."""
    try:
        return next(iter(await streams.differences(js)), "")
    except ServiceUnavailableError as error:
        if error.code is None:
            return "the NATS server has no JetStream: start it with -js, or run `banxi up`"
        return f"JetStream of the NATS server is not available ({error.description})"
    except APIError as error:
        return f"JetStream of the NATS server refuses to tell of its streams ({error.description})"
    except (nats.errors.Error, TimeoutError, OSError) as error:
        return f"JetStream of the NATS server does not answer ({type(error).__name__})"


def unreachable(address: str, error: Exception | None) -> str:
    """Why NATS cannot be reached, in a sentence. `error`: what the last try raised."""
    if error and "authorization" in str(error).lower():
        return f"NATS at {address} refuses us: BANXI_NATS_TOKEN is missing or not the server's"
    why = type(error).__name__ if error else "no answer yet"
    return f"cannot reach NATS at {address} ({why}): start it with `banxi up` or set BANXI_NATS_URL"


def not_yet(error: Exception) -> str:
    """A sentence where waiting may help after this error, empty where it will not."""
    if isinstance(error, CannotStartYet):
        return str(error)
    if may_pass(error):
        cause = getattr(error, "orig", None) or error  # without the values of a statement
        return f"the disk cannot be used ({getattr(cause, 'strerror', '') or cause})"
    if isinstance(error, nats.errors.Error | TimeoutError | ConnectionError):
        return f"the bus does not answer ({type(error).__name__})"
    return ""


async def consumer_lag(bus: Bus) -> int:
    """Messages this service has not finished, over all partitions; those the server does not tell
    of are left out."""
    lag = 0
    for partition in range(subjects.PARTITIONS):
        durable = f"{bus.service}-{bus.site}-{partition}"
        try:
            info = await bus.js.consumer_info(streams.CALLS, durable)
        except (nats.errors.Error, TimeoutError, OSError):
            continue
        lag += (info.num_pending or 0) + (info.num_ack_pending or 0)
    return lag
