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
from services.desk import kb_rows, kb_words
from services.desk.accounts import Account, Accounts
from services.desk.guard import needs_same_origin, signed_in

MAX_BODY = 512 * 1024
"""Largest request of the page, bytes: the largest entry there can be, with some to spare."""
ASKING_S = 8.0
LONG_S = 600.0
"""How long a whole file may take: 200,000 rows are compared and written in some minutes."""
_LONG = (
    requests.PlanImport,
    requests.ApplyImport,
    requests.StageFile,
    requests.ImportOfficeFile,
    requests.ExportEntries,
)
_WHO = ("by", "imported_by")
"""Fields that say who asks."""

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
    requests.PlanImport,
    requests.ApplyImport,
    requests.DropImport,
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
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise NotAsked("", "这个操作没有看懂，请刷新页面后再试。")
    who = {field: by for field in _WHO if field in kind.model_fields}
    try:
        return kind.model_validate(said | who)
    except ValidationError as error:
        raise NotAsked(*kb_words.field_of(error)) from None


class NotDone(Exception):
    """The knowledge service did not do it; the text is a sentence for the page."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


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
        account = await editor(request, self._accounts, name)
        body = await read_body(request, MAX_BODY)
        try:
            question = asked(verb, body, account.name)
        except KeyError:
            raise HTTPException(404) from None
        except NotAsked as error:
            return refusal("invalid", str(error), error.field)
        return await self._pass_on(question)

    async def _pass_on(self, question: requests.Request) -> JSONResponse:
        try:
            reply = await put(self._bus, question)
        except NotDone as error:
            return refusal(error.code, str(error), error.field)
        return done(reply)


async def editor(request: Request, accounts: Accounts, name: str) -> Account:
    """The account, where it may be here. Raises 401 or 403."""
    needs_same_origin(request)
    account = await signed_in(request, accounts, name)
    if account is None:
        raise HTTPException(401, "登录已经过期，请重新登录。")
    if account.role != "editor":
        raise HTTPException(403)
    return account


async def put(bus: Bus, question: requests.Request) -> requests.Reply:
    """Ask the knowledge service. Raises NotDone."""
    kind = type(question)
    try:
        timeout_s = LONG_S if isinstance(question, _LONG) else ASKING_S
        return await bus.request(question, kind.reply, timeout_s=timeout_s)
    except RequestFailed as failed:
        problem = failed.problem
    except (nats.errors.Error, TimeoutError, ValidationError):
        problem = requests.Problem(code="unavailable", message="")
    said = kb_words.sentence(problem, kind.verb)
    if isinstance(question, requests.StageFile | requests.ImportOfficeFile):
        said = kb_rows.said_of_file(question.name, problem.message) or said
    raise NotDone(problem.code, problem.field or "", said)


def done(reply: requests.Reply) -> JSONResponse:
    """It was done; what came of it."""
    return JSONResponse({"ok": True, "data": kb_rows.for_page(reply).model_dump(mode="json")})


def refusal(code: str, message: str, field: str = "") -> JSONResponse:
    """It was not done; what the page says of it."""
    said: dict[str, Any] = {"ok": False, "code": code, "field": field, "message": message}
    return JSONResponse(said)


async def read_body(request: Request, most: int) -> bytes:
    """The body, read no further than `most` bytes. Raises 413."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise HTTPException(413, "内容太大了。")
        parts.append(part)
    return b"".join(parts)
