"""Files on their way, in parts as messages hold them: kept in the database, so that it does not
matter which process answers, and forgotten like rows that nobody applies."""

from __future__ import annotations

import asyncio
import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path

from contracts.requests.imports import PART_BYTES
from services.knowledge.keeping.staging import Staging

_CONTENT = "content"
"""The cell that keeps a part."""
_COUNT = "count"
"""The cell that keeps how many entries a file holds."""


class BadPart(ValueError):
    """A part that cannot be used, or one that is missing. The text says why."""


class Parts:
    """Keeps files by name; no id of an import is such a name. Every method raises DatabaseDown
    while the database is away."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging

    async def keep(self, name: str, part: int, content: str) -> None:
        """Keep a part, counted from 0, given as base64. Raises BadPart."""
        try:
            size = len(base64.b64decode(content, validate=True))
        except binascii.Error:
            raise BadPart("holds a part that is not base64") from None
        if size > PART_BYTES:
            raise BadPart(f"holds a part of more than {PART_BYTES:,} bytes")
        await self._stage(name, part, {_CONTENT: content})

    async def put_together(self, name: str, count: int, path: Path) -> None:
        """Write a file of its first `count` parts, and forget them. Raises BadPart."""
        with path.open("wb") as file:
            for part in range(count):
                cells = await self._staging.row(name, part + 1)
                if cells is None:
                    raise BadPart("has parts that did not arrive: hand it over once more")
                file.write(base64.b64decode(cells[_CONTENT]))
        await self.drop(name)

    async def take_apart(self, name: str, path: Path, count: int) -> None:
        """Keep a file in parts. `count`: what is said of it with each of them."""
        with path.open("rb") as file:
            part = 0
            while (content := await asyncio.to_thread(file.read, PART_BYTES)) or not part:
                said = {_CONTENT: base64.b64encode(content).decode(), _COUNT: str(count)}
                await self._stage(name, part, said)
                part += 1

    async def part(self, name: str, part: int) -> tuple[str, int, int] | None:
        """A part that `take_apart` kept as base64, how many there are, and the count."""
        cells = await self._staging.row(name, part + 1)
        if cells is None:
            return None
        return cells[_CONTENT], await self._staging.count(name), int(cells[_COUNT])

    async def drop(self, name: str) -> None:
        """Forget a file."""
        await self._staging.drop(name)

    async def _stage(self, name: str, part: int, cells: dict[str, str]) -> None:
        await self._staging.stage(name, [(part + 1, cells)], at=datetime.now(UTC))


def arriving(import_id: str) -> str:
    """The name of the file of an import."""
    return f"{import_id} file"


def leaving(export_id: str) -> str:
    """The name of the file of an export."""
    return f"{export_id} export"
