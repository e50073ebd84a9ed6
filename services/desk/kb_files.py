"""Files of the editors' page: handed over in parts, and fetched as a download."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from contracts.base import ID_PATTERN
from contracts.requests import (
    EntriesExported,
    ExportEntries,
    ImportOfficeFile,
    StageFile,
)
from contracts.requests.imports import MOST_PARTS, PART_BYTES
from services.common.bus import Bus
from services.desk.accounts import Accounts
from services.desk.kb_routes import NotDone, done, editor, put, read_body, refusal

Form = Literal["csv", "xlsx", "jsonl"]
MEDIA: dict[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}
FileName = Annotated[str, Query(min_length=1, max_length=200)]


class KbFiles:
    """Files that come and go."""

    def __init__(self, accounts: Accounts, bus: Bus) -> None:
        self._accounts = accounts
        self._bus = bus
        self.router = APIRouter(prefix="/as/{name}/kb")
        self.router.post("/import/{import_id}")(self.take_part)
        self.router.post("/import-offices")(self.take_offices)
        self.router.post("/export/{form}")(self.export)

    async def take_part(
        self,
        request: Request,
        name: str,
        import_id: Annotated[str, Path(pattern=ID_PATTERN)],
        file: FileName,
        part: Annotated[int, Query(ge=0, lt=MOST_PARTS)],
        last: bool = False,
    ) -> JSONResponse:
        """Hand over a part of a file, which is the body; as `/ask`, with the reply of the last
        part saying what was read. 413 for a part that is too large."""
        await editor(request, self._accounts, name)
        content = await read_body(request, PART_BYTES)
        try:
            question = StageFile(
                import_id=import_id, name=file, part=part, last=last, content=_base64(content)
            )
            return done(await put(self._bus, question))
        except NotDone as error:
            return refusal(error.code, str(error), error.field)

    async def take_offices(
        self, request: Request, name: str, file: FileName, dry_run: bool = True
    ) -> JSONResponse:
        """Import the offices of a file, which is the body, or say what that would do."""
        account = await editor(request, self._accounts, name)
        content = await read_body(request, PART_BYTES)
        question = ImportOfficeFile(
            name=file, content=_base64(content), by=account.name, dry_run=dry_run
        )
        try:
            return done(await put(self._bus, question))
        except NotDone as error:
            return refusal(error.code, str(error), error.field)

    async def export(self, request: Request, name: str, form: Form) -> Response:
        """All entries as a file; as `/ask` where that cannot be done. The line breaks where the
        knowledge service goes away on the way."""
        account = await editor(request, self._accounts, name)
        whole = ExportEntries(export_id=uuid.uuid4().hex, format=form, by=account.name)
        try:
            first = await self._part(whole, 0)
        except NotDone as error:
            return refusal(error.code, str(error), error.field)
        headers = {"Content-Disposition": f'attachment; filename="entries.{form}"'}
        parts = self._parts(whole, first)
        return StreamingResponse(parts, media_type=MEDIA[form], headers=headers)

    async def _parts(self, whole: ExportEntries, first: EntriesExported) -> AsyncIterator[bytes]:
        yield base64.b64decode(first.content)
        for part in range(1, first.parts):
            yield base64.b64decode((await self._part(whole, part)).content)

    async def _part(self, whole: ExportEntries, part: int) -> EntriesExported:
        question = whole.model_copy(update={"part": part})
        return cast(EntriesExported, await put(self._bus, question))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
