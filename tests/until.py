"""Waiting for what will be: polled with a deadline, never slept for."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast, overload

from contracts.base import Event
from contracts.requests import Describe, Description
from services.common.bus import Bus, RequestFailed
from services.common.kept import read_call

Got = TypeVar("Got")
E = TypeVar("E", bound=Event)


@overload
async def until(
    ask: Callable[[], Coroutine[Any, Any, Got]],
    holds: Callable[[Got], object] = bool,
    patience_s: float = 15.0,
) -> Got: ...
@overload
async def until(
    ask: Callable[[], Got],
    holds: Callable[[Got], object] = bool,
    patience_s: float = 15.0,
) -> Got: ...
async def until(
    ask: Callable[[], Any],
    holds: Callable[[Any], object] = bool,
    patience_s: float = 15.0,
) -> Any:
    """What is asked for, as soon as it is what is wanted."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        answer = ask()
        got = await answer if inspect.isawaitable(answer) else answer
        if holds(got):
            return got
        assert asyncio.get_running_loop().time() < deadline, f"not what was expected: {got!r}"
        await asyncio.sleep(0.01)


async def kept_of(
    bus: Bus, call_id: str, kind: type[E], holds: Callable[[list[E]], object] = bool
) -> list[E]:
    """A call's kept events of a kind, as soon as they are what is wanted."""

    async def ask() -> list[E]:
        return [e for e in await read_call(bus, bus.site, call_id) if isinstance(e, kind)]

    return await until(ask, holds)


async def described(bus: Bus, service: str) -> Description:
    """What a service says of itself, once the server knows that it listens."""

    async def ask() -> Description | None:
        try:
            return await bus.request_of(service, Describe(), Description)
        except RequestFailed:
            return None

    return cast("Description", await until(ask))
