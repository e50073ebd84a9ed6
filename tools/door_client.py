"""A client of the audio door: plays a recording as a telephone exchange would send it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from contracts.door import Codec, DoorError, Start, Started, Stop
from services.media.g711 import encode
from tools.recordings import HungUpBy, Recording

DOOR = "ws://127.0.0.1:7710/v1/audio"
CHUNK_S = 0.1
"""Audio in a message when it is paced."""
BULK_S = 0.5
"""Audio in a message when it goes as fast as the door reads."""
RESUME_S = 10.0
"""How long a lost connection is tried again."""


class DoorRefused(RuntimeError):
    """The door turned us away. The message is its own sentence."""

    def __init__(self, error: DoorError) -> None:
        super().__init__(error.message)
        self.code = error.code
        self.field = error.field


class DoorUnreachable(RuntimeError):
    """Nobody answers at the door. The message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a call that was played."""

    call_id: str
    audio_zero: datetime
    """Wall time of the call's audio 0, UTC."""
    audio_ms: int
    """How much was sent, ms."""


async def play(
    recording: Recording,
    *,
    call_id: str,
    url: str = DOOR,
    site: str = "main",
    agent_id: str | None = None,
    caller_number: str | None = None,
    region: str | None = None,
    speed: float = 1.0,
    stop_by: HungUpBy | None = None,
    stop_at_s: float | None = None,
    codec: Codec = "pcm16le",
    token: str | None = None,
) -> Played:
    """Play a recording through the door until it is over and the door has closed the call.

    `speed` 1 is real time (`pace: live`); any other is paced by us, 0 as fast as the door reads.
    What is not given is taken from the recording's own `.json`. A lost connection is resumed.
    Cancelling sends `stop`. Raises DoorRefused and DoorUnreachable.
    """
    known = recording.known
    try:
        start = Start(
            type="start",
            protocol=1,
            call_id=call_id,
            site=site,
            agent_id=agent_id or known.agent_id or "000",
            caller_number=caller_number or known.caller_number or "unknown",
            region=region or known.region,
            codec=codec,
            rate=8000 if recording.rate == 8000 else 16000,
            layout="stereo",
            left="agent",
            pace="live" if speed == 1 else "replay",
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0])
        raise DoorRefused(
            DoorError(code="bad_field", message=f"{field}: {first['msg']}", field=field)
        ) from None
    end_s = known.hangup.at if stop_at_s is None else stop_at_s
    length = len(recording.samples)
    player = _Player(
        recording,
        start,
        Stop(type="stop", by=stop_by or known.hangup.by),
        end=length if end_s is None else min(length, round(end_s * recording.rate)),
        speed=speed,
    )
    return await player.play(url, token)


class _Player:
    """One call, over as many connections as it takes."""

    def __init__(
        self, recording: Recording, start: Start, stop: Stop, *, end: int, speed: float
    ) -> None:
        self._recording = recording
        self._start = start
        self._stop = stop
        self._end = end
        self._speed = speed
        self._zero: float | None = None
        """Time of the loop at audio 0; None until the door has answered."""
        self._zero_wall = datetime.now(UTC)
        self._sent = 0

    async def play(self, url: str, token: str | None) -> Played:
        loop = asyncio.get_running_loop()
        headers = {"Authorization": f"Bearer {token}"} if token else None
        lost_at: float | None = None
        while True:
            try:
                async with connect(
                    url,
                    additional_headers=headers,
                    compression=None,
                    # The door slows us down by not reading: it cannot answer pings in time.
                    ping_interval=None,
                    proxy=None,
                ) as socket:
                    await self._begin(socket)
                    lost_at = None
                    await self._until_over(socket)
                    break
            except InvalidStatus as error:
                raise _denied(error) from None
            except (ConnectionClosed, OSError, InvalidURI, WebSocketException) as error:
                lost_at = lost_at or loop.time()
                if self._zero is None or loop.time() - lost_at > RESUME_S:
                    raise DoorUnreachable(
                        f"no audio door at {url} ({type(error).__name__}): "
                        "start the system with `banxi up`, or give its --url"
                    ) from None
                await asyncio.sleep(0.2)
            except DoorRefused as refused:
                if refused.code == "unknown_call" and self._sent >= self._end:
                    break  # the connection went down after our stop had come through
                raise
        audio_ms = self._sent * 1000 // self._recording.rate
        return Played(self._start.call_id, self._zero_wall, audio_ms)

    async def _begin(self, socket: ClientConnection) -> None:
        start = self._start.model_copy(update={"resume": self._zero is not None})
        await socket.send(start.model_dump_json())
        said = json.loads(await socket.recv())
        if said.get("type") == "error":
            raise DoorRefused(DoorError.model_validate(said))
        received_ms = Started.model_validate(said).received_ms
        self._sent = received_ms * self._recording.rate // 1000
        if self._zero is None:
            self._zero = asyncio.get_running_loop().time()
            self._zero_wall = datetime.now(UTC)

    async def _until_over(self, socket: ClientConnection) -> None:
        """Send and listen until the door closes the socket. Raises ConnectionClosed if it broke."""
        sending = asyncio.create_task(self._send(socket))
        listening = asyncio.create_task(_listen(socket))
        try:
            await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                with contextlib.suppress(ConnectionClosed):
                    sending.result()
            await listening
        except asyncio.CancelledError:
            sending.cancel()
            with contextlib.suppress(ConnectionClosed, TimeoutError):
                async with asyncio.timeout(1):
                    await socket.send(Stop(type="stop").model_dump_json())
            raise
        finally:
            for task in (sending, listening):
                task.cancel()
            await asyncio.gather(sending, listening, return_exceptions=True)

    async def _send(self, socket: ClientConnection) -> None:
        rate = self._recording.rate
        size = round(rate * (CHUNK_S if self._speed else BULK_S))
        while self._sent < self._end:
            chunk = self._recording.samples[self._sent : min(self._end, self._sent + size)]
            # A sound can be sent when it is over, as on a real line.
            await self._until(self._sent + len(chunk))
            await socket.send(encode(self._start.codec, chunk.reshape(-1)))
            self._sent += len(chunk)
        await self._until(self._sent)
        await socket.send(self._stop.model_dump_json())

    async def _until(self, sample: int) -> None:
        """Wait until it is time for a sample to have been spoken."""
        if self._speed:
            assert self._zero is not None
            due = self._zero + sample / self._recording.rate / self._speed
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))


async def _listen(socket: ClientConnection) -> None:
    """Until the door closes in good order. Raises DoorRefused where it says why not."""
    async for message in socket:
        said = json.loads(message)
        if said.get("type") == "error":
            raise DoorRefused(DoorError.model_validate(said))


def _denied(error: InvalidStatus) -> Exception:
    try:
        return DoorRefused(DoorError.model_validate_json(error.response.body or b""))
    except ValidationError:
        status = error.response.status_code
        return DoorUnreachable(f"the address is no audio door (HTTP {status}): check --url")
