"""Who may come in: sessions by cookie, roles, same origin, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.desk.accounts import Account, AccountRole, Accounts

COOKIE = "banxi"
"""Every account has a cookie of its own by its path `/as/{account}`."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # `no-referrer` would make browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), clipboard-write=(self)",
}


class SecurityHeaders:
    """Puts the headers on every answer; pages are kept in no cache."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app = app
        self._tls = tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                # Static files: kept, but asked for again (an ETag answers cheaply).
                headers["cache-control"] = "no-cache" if static else "no-store"
                if self._tls:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        await self._app(scope, receive, with_headers)


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a request was made by one of our own pages. Browsers send `Origin` with every form
    and every socket; what has none is no page of ours."""
    origin, host = headers.get("origin", ""), headers.get("host", "")
    return bool(host) and urlsplit(origin).netloc == host


def needs_same_origin(request: Request) -> None:
    """For routes that change something. Raises 403."""
    if not same_origin(request.headers):
        raise HTTPException(403, "请从本系统的页面上操作。")


async def signed_in(connection: HTTPConnection, accounts: Accounts, name: str) -> Account | None:
    """The account whose page this is, where its session says so. The cookie of one account
    opens no page of another, whatever path it was sent with."""
    account = await accounts.of_session(connection.cookies.get(COOKIE, ""))
    return account if account and account.name == name else None


def home(account: Account) -> str:
    """Path of an account's own page."""
    pages: dict[AccountRole, str] = {"agent": "desk", "supervisor": "wall", "editor": "kb"}
    return f"/as/{account.name}/{pages[account.role]}"
