"""The pages: sign-in, one-time links, the pages of agent, supervisor and editor, and their
sockets."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Form, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.websockets import WebSocket

from services.common.version import VERSION
from services.desk.accounts import Account, AccountRole, Accounts
from services.desk.attempts import Attempts
from services.desk.commands import Commands
from services.desk.feed import Feed
from services.desk.guard import (
    COOKIE,
    SecurityHeaders,
    home,
    needs_same_origin,
    same_origin,
    signed_in,
)
from services.desk.kb_files import KbFiles
from services.desk.kb_routes import KbRoutes
from services.desk.pages import Pages
from services.desk.sockets import SIGNED_OUT, Page

HERE = Path(__file__).parent
_SAME_ORIGIN = [Depends(needs_same_origin)]
_MESSAGES = {
    403: "这个页面不属于您的岗位。",
    404: "没有这个页面。",
    405: "没有这个页面。",
}


class Web:
    """The pages as an ASGI application. `ready` is set when the calls of before are folded;
    `hears` says whether the desk hears the bus."""

    def __init__(
        self,
        accounts: Accounts,
        pages: Pages,
        commands: Commands,
        kb: tuple[KbRoutes, KbFiles],
        *,
        ready: asyncio.Event,
        hears: Callable[[], bool],
        session_hours: float,
        tls: bool,
    ) -> None:
        self._accounts = accounts
        self._pages = pages
        self._commands = commands
        self._kb = kb
        self._ready = ready
        self._hears = hears
        self._session_s = round(session_hours * 3600)
        self._tls = tls
        self._attempts = Attempts()
        self._open: dict[str, set[Page]] = defaultdict(set)
        self.pages_dropped = 0
        """Pages let go because they did not take their messages."""
        self._templates = Jinja2Templates(HERE / "templates")
        self._templates.env.globals["version"] = VERSION
        self.app = self._routes()

    @property
    def open_pages(self) -> int:
        """Sockets that are open now."""
        return sum(len(pages) for pages in self._open.values())

    @property
    def most_waiting(self) -> int:
        """Messages that wait for the page that is furthest behind."""
        return max((page.waiting for pages in self._open.values() for page in pages), default=0)

    def _routes(self) -> FastAPI:
        app = FastAPI(title="Banxi desk", docs_url=None, redoc_url=None, openapi_url=None)
        app.add_middleware(SecurityHeaders, tls=self._tls)
        app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
        app.add_exception_handler(StarletteHTTPException, self._problem)
        app.add_exception_handler(RequestValidationError, self._problem)
        app.get("/")(self.sign_in_page)
        app.post("/sign-in", dependencies=_SAME_ORIGIN)(self.sign_in)
        app.get("/enter/{token}")(self.enter_page)
        app.post("/enter/{token}", dependencies=_SAME_ORIGIN)(self.enter)
        app.get("/as/{name}")(self.own_page)
        app.get("/as/{name}/desk")(self._page_of("agent", "desk.html"))
        app.get("/as/{name}/wall")(self._page_of("supervisor", "wall.html"))
        app.get("/as/{name}/kb")(self._page_of("editor", "kb.html"))
        for routes in self._kb:
            app.include_router(routes.router)
        app.post("/as/{name}/sign-out", dependencies=_SAME_ORIGIN)(self.sign_out)
        app.websocket("/as/{name}/desk/live")(self._socket_of("agent"))
        app.websocket("/as/{name}/wall/live")(self._socket_of("supervisor"))
        app.websocket("/as/{name}/kb/live")(self._socket_of("editor"))
        return app

    async def sign_in_page(self, request: Request) -> Response:
        """The form."""
        return self._form(request)

    async def sign_in(
        self,
        request: Request,
        name: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=256)] = "",
    ) -> Response:
        """Name and password; a few failures in a row have to wait."""
        address = request.client.host if request.client else ""
        wait = self._attempts.wait_s(name, address, time.monotonic())
        if wait > 0:
            minutes = math.ceil(wait / 60)
            return self._form(request, name, f"尝试次数过多，请 {minutes} 分钟后再试。", 429)
        self._attempts.begin(name, address, time.monotonic())
        account = await self._accounts.verify(name, password)
        if account is None:
            return self._form(request, name, "账号或密码不对，请核对后再试。", 401)
        self._attempts.succeeded(name, address)
        return await self._let_in(account)

    async def enter_page(self, request: Request, token: str) -> Response:
        """A one-time link. Looking at it does not use it up: only its button does, which the
        page presses by itself, so that nothing that merely fetches links can."""
        account = await self._accounts.of_link(token)
        return self._templates.TemplateResponse(
            request, "enter.html", {"account": account}, status_code=200 if account else 410
        )

    async def enter(self, request: Request, token: str) -> Response:
        """Use a one-time link."""
        account = await self._accounts.use_link(token)
        if account is None:
            context = {"account": None}
            return self._templates.TemplateResponse(request, "enter.html", context, status_code=410)
        return await self._let_in(account)

    async def own_page(self, request: Request, name: str) -> Response:
        """`/as/{name}` leads to the page of the account's role."""
        account = await signed_in(request, self._accounts, name)
        return RedirectResponse(home(account) if account else "/", status_code=303)

    async def sign_out(self, request: Request, name: str) -> Response:
        """End this account's session in this browser, and no other."""
        token = request.cookies.get(COOKIE, "")
        if await signed_in(request, self._accounts, name):
            await self._accounts.end_session(token)
            for page in tuple(self._open.get(token, ())):
                page.close(SIGNED_OUT, "signed out")
        answer = RedirectResponse("/", status_code=303)
        answer.delete_cookie(COOKIE, path=f"/as/{name}", httponly=True, samesite="strict")
        return answer

    def _page_of(
        self, role: AccountRole, template: str
    ) -> Callable[[Request, str], Awaitable[Response]]:
        async def page(request: Request, name: str) -> Response:
            account = await signed_in(request, self._accounts, name)
            if account is None:
                return RedirectResponse("/", status_code=303)
            if account.role != role:
                raise HTTPException(403)
            return self._templates.TemplateResponse(request, template, {"account": account})

        return page

    def _socket_of(self, role: AccountRole) -> Callable[[WebSocket, str], Awaitable[None]]:
        async def live(socket: WebSocket, name: str) -> None:
            account = await signed_in(socket, self._accounts, name)
            if account is None or account.role != role or not same_origin(socket.headers):
                await socket.close()  # before it was accepted: the browser sees a 403
                return
            await socket.accept()
            token = socket.cookies[COOKIE]

            async def still_valid() -> bool:
                return await self._accounts.of_session(token) == account

            feed = self._feed_of(account)
            page = Page(socket, account, feed, self._commands, still_valid, self._hears)
            self._open[token].add(page)
            try:
                await page.serve(self._ready)
            finally:
                self.pages_dropped += page.was_too_slow
                self._open[token].discard(page)
                if not self._open[token]:
                    del self._open[token]

        return live

    def _feed_of(self, account: Account) -> Feed:
        if account.role == "agent" and account.agent_id:
            return self._pages.agent(account.agent_id)
        return self._pages.editors if account.role == "editor" else self._pages.wall

    async def _let_in(self, account: Account) -> Response:
        token = await self._accounts.new_session(account.name)
        answer = RedirectResponse(home(account), status_code=303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=self._session_s,
            path=f"/as/{account.name}",
            httponly=True,
            samesite="strict",
            secure=self._tls,
        )
        return answer

    def _form(
        self, request: Request, name: str = "", problem: str = "", status: int = 200
    ) -> Response:
        context = {"name": name, "problem": problem}
        return self._templates.TemplateResponse(request, "sign_in.html", context, status)

    async def _problem(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, StarletteHTTPException) else 400
        detail = getattr(error, "detail", "")
        own_words = isinstance(error, HTTPException) and not detail.isascii()
        message = detail if own_words else _MESSAGES.get(status, "这个请求没有办成。")
        context = {"message": message}
        return self._templates.TemplateResponse(request, "problem.html", context, status)
