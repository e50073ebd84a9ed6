"""Ending tasks that run beside the rest."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_S = 2.0
"""How long a task may take to clean up before it is cancelled again, seconds."""


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they are over; what they raise is passed over.

    One cancel is not enough: `asyncio.wait_for` of Python 3.11, by which nats-py asks the server,
    swallows one that comes together with the answer, and a task that loops would go on for ever.
    """
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
