"""The desk as a browser meets it: real server, real sockets, real accounts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from contracts import subjects
from contracts.requests import Failure, Reply, Request
from services.common.bus import Bus
from services.common.service import Service
from services.desk.app import create_app
from services.desk.settings import DeskSettings, Settings
from tests.conftest import free_port
from tools.users import demo_links


@dataclass
class RunningDesk:
    """A desk and how to reach it."""

    service: Service
    port: int
    data_dir: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def browser(self) -> httpx.AsyncClient:
        """A browser with an empty cookie jar, on one of our pages."""
        return httpx.AsyncClient(base_url=self.origin, headers={"Origin": self.origin})

    async def links(self) -> dict[str, str]:
        """Fresh one-time links, by account."""
        return {link.account.name: link.path for link in await demo_links(self.data_dir)}

    async def enter(self, browser: httpx.AsyncClient, account: str) -> None:
        """Sign an account in by a link."""
        answer = await browser.post((await self.links())[account])
        assert answer.status_code == 303

    def cookie(self, browser: httpx.AsyncClient, account: str) -> str:
        """What the browser would send with this account's pages."""
        request = browser.build_request("GET", f"/as/{account}/live")
        return str(request.headers.get("cookie", ""))

    @asynccontextmanager
    async def page(
        self, browser: httpx.AsyncClient, account: str, kind: str = "desk", origin: str = ""
    ) -> AsyncIterator[Page]:
        """Open an account's socket."""
        async with connect(
            f"ws://127.0.0.1:{self.port}/as/{account}/{kind}/live",
            additional_headers={"Cookie": self.cookie(browser, account)},
            origin=Origin(origin or self.origin),
        ) as socket:
            yield Page(socket)


class Page:
    """The page's side of the socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.epoch, self.last = "", 0
        self.calls: dict[str, Any] = {}
        self.figures: dict[str, Any] = {}
        self.numbers: list[int] = []
        self._asked = 0

    async def hello(self, epoch: str = "", last: int = 0) -> Page:
        """Begin, with what is known already."""
        self.epoch, self.last = epoch, last
        await self.socket.send(json.dumps({"type": "hello", "epoch": epoch, "last": last}))
        return self

    async def next(self, wait_s: float = 10.0) -> dict[str, Any]:
        """The next message, beats left out; folded in as the browser does."""
        while True:
            async with asyncio.timeout(wait_s):
                message: dict[str, Any] = json.loads(await self.socket.recv())
            if message["type"] == "beat":
                continue
            if message["type"] == "snapshot":
                self.epoch, self.last, self.calls = message["epoch"], message["n"], message["calls"]
                self.figures = message["figures"]
            elif message["type"] == "change":
                assert message["n"] == self.last + 1, "missed or doubled"
                self.last = message["n"]
                self.numbers.append(self.last)
                self._fold(message)
            return message

    async def until(self, found: Callable[[Page], Any], wait_s: float = 10.0) -> Any:
        """Read on until something is true of the page."""
        async with asyncio.timeout(wait_s):
            while not (result := self._try(found)):
                await self.next()
            return result

    async def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send a command and wait for its reply."""
        self._asked += 1
        await self.socket.send(json.dumps({"id": self._asked} | command))
        while True:
            message = await self.next()
            if message["type"] == "reply" and message.get("to", self._asked) == self._asked:
                return message

    def _try(self, found: Callable[[Page], Any]) -> Any:
        try:
            return found(self)
        except (LookupError, TypeError):
            return None

    def _fold(self, message: dict[str, Any]) -> None:
        if "gone" in message:
            self.calls.pop(message["gone"])
        elif "figures" in message:
            self.figures |= message["figures"]
        else:
            call = self.calls.setdefault(message["call"], {"set": {}, "lines": {}})
            call["set"] |= message.get("set", {})
            call["lines"] |= message.get("lines", {})


@asynccontextmanager
async def signed_in(
    desk: RunningDesk, account: str, kind: str = "desk"
) -> AsyncIterator[Callable[[], Any]]:
    """Gives a function that opens the account's page."""
    async with desk.browser() as browser:
        await desk.enter(browser, account)
        yield lambda: desk.page(browser, account, kind)


@asynccontextmanager
async def answering(
    bus: Bus, request: type[Request], answer: Callable[[Any], Reply | Failure]
) -> AsyncIterator[list[Any]]:
    """Stands in for the service that answers a request; gives the list of what was asked."""
    asked: list[Any] = []

    async def reply(message: Any) -> None:
        asked.append(request.model_validate_json(message.data))
        await message.respond(answer(asked[-1]).model_dump_json().encode())

    subject = subjects.command(bus.site, request.service, request.verb)
    subscription = await bus.client.subscribe(subject, cb=reply)
    await bus.heard()
    yield asked
    await subscription.unsubscribe()


@asynccontextmanager
async def running_desk(
    nats_url: str, site: str, data_dir: Path, port: int | None = None, **options: Any
) -> AsyncIterator[RunningDesk]:
    """Run the desk in this loop; `options` are settings of it."""
    settings = Settings(
        nats_url=nats_url,
        site=site,
        data_dir=data_dir,
        desk=DeskSettings(port=port or free_port(), **options),
    )
    service = create_app(settings)
    async with service.running():
        yield RunningDesk(service, settings.desk.port, data_dir)
