"""The knowledge editors' page: what it asks goes to the knowledge service, as its account.

One route for all requests: its last part is the verb, its body the request. Only what an editor
may ask is passed on, and who asks is always the signed-in account, never what the page says.
"""

from __future__ import annotations

import json
from typing import Any

import nats.errors
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from contracts import requests
from services.common.bus import Bus, RequestFailed
from services.desk import kb_words
from services.desk.accounts import Account, Accounts
from services.desk.guard import needs_same_origin, signed_in

MAX_BODY = 512 * 1024
"""Largest request of the page, bytes: the largest entry there can be, with some to spare."""
ASKING_S = 8.0

EDITORS: tuple[type[requests.Request], ...] = (
    requests.ListEntries,
    requests.ReadEntry,
    requests.DraftEntry,
    requests.DecideDraft,
    requests.DiscardDraft,
    requests.WithdrawEntry,
    requests.CheckEntry,
    requests.ListGaps,
    requests.HandleGap,
    requests.ListOffices,
    requests.PutOffice,
    requests.RemoveOffice,
    requests.ListRegions,
)
"""What an editor may ask."""
_BY_VERB = {request.verb: request for request in EDITORS}


class NotAsked(Exception):
    """What the page sent is no request; the text is a sentence for it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def asked(verb: str, body: bytes, by: str) -> requests.Request:
    """The request a page sends, asked by `by`. Raises KeyError where no editor may ask that,
    NotAsked where it is no such request."""
    kind = _BY_VERB[verb]
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise NotAsked("", "这个操作没有看懂，请刷新页面后再试。")
    who = {"by": by} if "by" in kind.model_fields else {}
    try:
        return kind.model_validate(said | who)
    except ValidationError as error:
        raise NotAsked(*kb_words.field_of(error)) from None


class KbRoutes:
    """The requests of the editors' page."""

    def __init__(self, accounts: Accounts, bus: Bus) -> None:
        self._accounts = accounts
        self._bus = bus
        self.router = APIRouter(prefix="/as/{name}/kb")
        self.router.post("/ask/{verb}")(self.ask)

    async def ask(self, request: Request, name: str, verb: str) -> JSONResponse:
        """Ask the knowledge service; `{ok, data}`, or `{ok: false, code, field, message}` where it
        was not done. 401 without a session, 403 for other accounts than editors."""
        account = await self.editor(request, name)
        body = await _body(request, MAX_BODY)
        try:
            question = asked(verb, body, account.name)
        except KeyError:
            raise HTTPException(404) from None
        except NotAsked as error:
            return refusal("invalid", str(error), error.field)
        return await self._pass_on(question)

    async def editor(self, request: Request, name: str) -> Account:
        """The account, where it may be here. Raises 401 or 403."""
        needs_same_origin(request)
        account = await signed_in(request, self._accounts, name)
        if account is None:
            raise HTTPException(401, "登录已经过期，请重新登录。")
        if account.role != "editor":
            raise HTTPException(403)
        return account

    async def _pass_on(self, question: requests.Request) -> JSONResponse:
        kind = type(question)
        try:
            reply = await self._bus.request(question, kind.reply, timeout_s=ASKING_S)
        except RequestFailed as failed:
            problem = failed.problem
            said = kb_words.sentence(problem, kind.verb)
            return refusal(problem.code, said, problem.field or "")
        except (nats.errors.Error, TimeoutError, ValidationError):
            unavailable = requests.Problem(code="unavailable", message="")
            return refusal("unavailable", kb_words.sentence(unavailable, kind.verb))
        return JSONResponse({"ok": True, "data": reply.model_dump(mode="json")})


def refusal(code: str, message: str, field: str = "") -> JSONResponse:
    """It was not done; what the page says of it."""
    said: dict[str, Any] = {"ok": False, "code": code, "field": field, "message": message}
    return JSONResponse(said)


async def _body(request: Request, most: int) -> bytes:
    """The body, read no further than `most` bytes. Raises 413."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise HTTPException(413, "内容太大了。")
        parts.append(part)
    return b"".join(parts)
