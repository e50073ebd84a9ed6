"""A page that cannot keep up is let go, and comes back to what it missed."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket, WebSocketState

from services.desk.accounts import Account
from services.desk.commands import Commands
from services.desk.feed import KEEP, Feed
from services.desk.sockets import QUEUE, SIGNED_OUT, TOO_SLOW, Page

pytestmark = pytest.mark.unit


class Socket:
    """A browser that says hello and then reads only as much as it is let."""

    client_state = WebSocketState.CONNECTED

    def __init__(self, reads: int, **hello: Any) -> None:
        self.texts: list[dict[str, Any]] = []
        self.closed: int | None = None
        self._hello: str | None = json.dumps({"type": "hello"} | hello)
        self._reads = reads
        self.attached = asyncio.Event()
        self.beats: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self._hello is None:
            self.attached.set()
            await asyncio.Event().wait()
        text, self._hello = self._hello, None
        return {"type": "websocket.receive", "text": text}

    async def send_text(self, text: str) -> None:
        message = json.loads(text)
        if message["type"] == "beat":
            self.beats.append(message)
            return
        if len(self.texts) >= self._reads:
            await asyncio.Event().wait()
        self.texts.append(message)

    async def close(self, code: int, reason: str) -> None:
        self.closed = code


def page(socket: Socket, feed: Feed, *, valid: bool = True) -> asyncio.Task[None]:
    async def still_valid() -> bool:
        return valid

    ready = asyncio.Event()
    ready.set()
    account = Account("a015", "agent", "015")
    served = Page(
        cast("WebSocket", socket), account, feed, cast("Commands", None), still_valid, lambda: False
    )
    return asyncio.create_task(served.serve(ready))


async def test_too_slow_is_let_go_and_resumes_without_a_gap() -> None:
    feed, slow = Feed("run"), Socket(reads=5)
    serving = page(slow, feed)
    await slow.attached.wait()
    for number in range(QUEUE + 20):
        feed.show("c1", {"clock": number})
        if number < 10:
            await asyncio.sleep(0)  # the first few it does read
    await asyncio.wait_for(serving, 5)
    assert slow.closed == TOO_SLOW
    last = slow.texts[-1]["n"]
    again = Socket(reads=KEEP, epoch="run", last=last)
    serving = page(again, feed)
    await again.attached.wait()
    await asyncio.wait_for(_has(again, feed.number - last), 5)
    assert [message["n"] for message in again.texts] == list(range(last + 1, feed.number + 1))
    serving.cancel()


async def _has(socket: Socket, count: int) -> None:
    while len(socket.texts) < count:  # noqa: ASYNC110 - nothing tells us; the caller has a deadline
        await asyncio.sleep(0)


async def test_the_page_is_told_when_the_desk_hears_nothing() -> None:
    socket = Socket(reads=KEEP)
    serving = page(socket, Feed("run"))
    async with asyncio.timeout(5):
        while not socket.beats:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0)
    assert socket.beats[0]["hears"] is False
    serving.cancel()


async def test_a_page_whose_session_ended_is_closed() -> None:
    socket = Socket(reads=KEEP)
    await asyncio.wait_for(page(socket, Feed("run"), valid=False), 5)
    assert socket.closed == SIGNED_OUT
