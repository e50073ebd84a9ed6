"""One page's WebSocket: what changed goes down, what people ask comes up.

A page that cannot keep up is let go with a close code; it comes back and is told what it missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from services.common.tasks import ended
from services.desk.accounts import Account
from services.desk.asked import COMMANDS, Hello
from services.desk.commands import Commands, Refused
from services.desk.feed import Feed

QUEUE = 512
BEAT_S = 3.0
BEATS_PER_CHECK = 5
SEND_S = 10.0
HELLO_S = 10.0
RATE_PER_S = 20.0
"""Commands a second a page may send for long; no hand is that fast."""

SIGNED_OUT = 4401
TOO_SLOW = 4408
NO_CONTRACT = 4400
BEHIND = (TOO_SLOW, "too slow")
"""How a page is let go that does not take its messages."""


class Page:
    """One open socket of an account."""

    def __init__(
        self,
        socket: WebSocket,
        account: Account,
        feed: Feed,
        commands: Commands,
        still_valid: Callable[[], Coroutine[Any, Any, bool]],
        hears: Callable[[], bool],
    ) -> None:
        self._socket = socket
        self._account = account
        self._feed = feed
        self._commands = commands
        self._still_valid = still_valid
        self._hears = hears
        self._queue: asyncio.Queue[str] = asyncio.Queue(QUEUE)
        self._closing = asyncio.Event()
        self._farewell = (1000, "")

    @property
    def waiting(self) -> int:
        """Messages that wait to go down."""
        return self._queue.qsize()

    @property
    def was_too_slow(self) -> bool:
        """Whether it was let go because it did not take its messages."""
        return self._farewell == BEHIND

    def close(self, code: int, reason: str) -> None:
        """Let the page go; safe to call more than once."""
        if not self._closing.is_set():
            self._farewell = (code, reason)
            self._closing.set()

    async def serve(self, ready: asyncio.Event) -> None:
        """Until either side has enough. `ready`: all calls of before are folded."""
        try:
            async with asyncio.timeout(HELLO_S):
                hello = Hello.model_validate_json(await self._receive())
        except (TimeoutError, ValidationError):
            await self._socket.close(NO_CONTRACT, "hello expected")
            return
        except WebSocketDisconnect:
            return
        while not ready.is_set():
            # The first seconds after a start: the page is told to wait, not left to wonder.
            await self._send_one(self._now())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ready.wait(), BEAT_S)
        missed = self._feed.attach(self._deliver, hello.epoch, hello.last)
        work = (self._send(missed), self._listen(), self._beat(), self._closing.wait())
        tasks = [asyncio.ensure_future(part) for part in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.detach(self._deliver)
            await ended(*tasks)
        if self._closing.is_set() and self._socket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(SEND_S):
                    await self._socket.close(*self._farewell)
        for error in (task.exception() for task in tasks if not task.cancelled()):
            if isinstance(error, Exception) and not isinstance(
                error, WebSocketDisconnect | RuntimeError
            ):
                raise error

    def _deliver(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self.close(*BEHIND)

    async def _send(self, missed: list[str]) -> None:
        try:
            for text in missed:
                await self._send_one(text)
            while True:
                await self._send_one(await self._queue.get())
        except TimeoutError:
            self.close(*BEHIND)

    async def _send_one(self, text: str) -> None:
        async with asyncio.timeout(SEND_S):
            await self._socket.send_text(text)

    async def _beat(self) -> None:
        """Tell the desk's clock, and see that the session still holds."""
        while await self._still_valid():
            for _ in range(BEATS_PER_CHECK):
                self._deliver(self._now())
                await asyncio.sleep(BEAT_S)
        self.close(SIGNED_OUT, "signed out")

    def _now(self) -> str:
        beat = {"type": "beat", "now": round(time.time() * 1000), "hears": self._hears()}
        return json.dumps(beat)

    async def _receive(self) -> str:
        """The next text; a binary message, which no page of ours sends, counts as an empty one."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        return message.get("text") or ""

    async def _listen(self) -> None:
        allowance = RATE_PER_S * 2
        before = time.monotonic()
        while True:
            text = await self._receive()
            now = time.monotonic()
            allowance = min(RATE_PER_S * 2, allowance + (now - before) * RATE_PER_S) - 1
            before = now
            if allowance < 0:
                self.close(TOO_SLOW, "too many messages")
                return
            self._deliver(json.dumps(await self._answer(text), ensure_ascii=False))

    async def _answer(self, text: str) -> dict[str, Any]:
        try:
            command = COMMANDS.validate_json(text)
        except ValidationError:
            return {"type": "reply", "ok": False, "message": "这个操作没有看懂，请刷新页面后再试。"}
        try:
            data = await self._commands.do(self._account, command)
        except Refused as refused:
            return {"type": "reply", "to": command.id, "ok": False, "message": str(refused)}
        return {"type": "reply", "to": command.id, "ok": True, "data": data}
