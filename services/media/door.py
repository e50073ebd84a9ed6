"""The audio door `/v1/audio`: one socket a stereo call, or one a leg (contracts/door.py)."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Iterator

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from contracts.base import Contract, Role
from contracts.door import Ack, DoorError, Start, Started
from services.media.calls import Calls
from services.media.live_call import LiveCall
from services.media.messages import read_audio, read_later, read_start, roles_of
from services.media.refusal import Refusal

ACK_S = 1.0
POLICY_VIOLATION = 1008
NORMAL = 1000


def door(
    calls: Calls,
    *,
    token: SecretStr | None,
    start_timeout_s: float,
    log: logging.Logger,
) -> FastAPI:
    """The door's web application."""
    app = FastAPI(title="Banxi audio door", openapi_url=None)

    @app.websocket("/v1/audio")
    async def audio(socket: WebSocket) -> None:
        if token and not _shows(token, socket.headers.get("authorization", "")):
            error = DoorError(code="bad_token", message="send Authorization: Bearer <door token>")
            await socket.send_denial_response(JSONResponse(error.model_dump(), status_code=401))
            return
        await socket.accept()
        await _Visit(socket, calls, log).serve(start_timeout_s)

    return app


def _shows(token: SecretStr, header: str) -> bool:
    expected = f"Bearer {token.get_secret_value()}"
    return hmac.compare_digest(header.encode(), expected.encode())


class _Visit:
    """One socket from accepted to closed; towards its call it is a `Sender`."""

    def __init__(self, socket: WebSocket, calls: Calls, log: logging.Logger) -> None:
        self.roles: tuple[Role, ...] = ()
        self.waiting = False
        self._socket = socket
        self._calls = calls
        self._log = log
        self._closing: asyncio.Task[None] | None = None

    async def serve(self, start_timeout_s: float) -> None:
        """Read `start`, then audio until `stop`, a mistake or the end of the connection."""
        call: LiveCall | None = None
        acks: asyncio.Task[None] | None = None
        try:
            start = await self._first(start_timeout_s)
            self.roles = roles_of(start)
            call, received_ms = await self._calls.admit(start, self)
            await self._say(Started(received_ms=received_ms))
            acks = asyncio.create_task(self._acknowledge(call))
            await self._listen(start, call)
        except Refusal as refusal:
            if call:
                # Its code is one of ours; the text is left to the sender.
                extra = {"call": call.call_id, "code": refusal.error.code}
                self._log.warning("sender turned away", extra=extra)
            await self._close(refusal)
        except WebSocketDisconnect:
            pass
        finally:
            if call:
                call.leave(self)
            if acks:
                acks.cancel()
            if self._closing:
                await self._closing

    def turn_away(self, refusal: Refusal | None) -> None:
        """From the call: close this socket, with the reason if there is one."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(refusal))

    async def _first(self, timeout_s: float) -> Start:
        try:
            said = await asyncio.wait_for(self._read(), timeout_s)
        except TimeoutError:
            raise Refusal("no_start", f"no start message within {timeout_s:g} s") from None
        return read_start(said if isinstance(said, str) else None)

    async def _listen(self, start: Start, call: LiveCall) -> None:
        stopped = False
        while True:
            await call.room(self)
            self.waiting = True
            said = await self._read()
            self.waiting = False
            if stopped:
                continue
            if isinstance(said, str):
                call.stop(read_later(said).by)
                stopped = True  # the call closes this socket when `ended` stands in the stream
            else:
                call.hear(read_audio(start, said))

    async def _read(self) -> str | bytes:
        with _closed_is_gone():
            message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or NORMAL)
        text = message.get("text")
        return text if isinstance(text, str) else bytes(message["bytes"])

    async def _acknowledge(self, call: LiveCall) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await asyncio.sleep(ACK_S)
                await self._say(Ack(received_ms=call.received_ms(self)))

    async def _say(self, message: Contract) -> None:
        with _closed_is_gone():
            await self._socket.send_text(message.model_dump_json(exclude_none=True))

    async def _close(self, refusal: Refusal | None) -> None:
        with contextlib.suppress(WebSocketDisconnect), _closed_is_gone():
            if refusal is None:
                await self._socket.close(NORMAL)
                return
            await self._say(refusal.error)
            await self._socket.close(POLICY_VIOLATION, refusal.error.code)


@contextlib.contextmanager
def _closed_is_gone() -> Iterator[None]:
    """Starlette says RuntimeError where a socket is used that we have closed meanwhile."""
    try:
        yield
    except RuntimeError:
        raise WebSocketDisconnect(NORMAL) from None
