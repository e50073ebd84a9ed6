"""A process that is killed in the middle of an import leaves nothing of it, and loses nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.requests import ApplyImport, FileRow, StageRows
from services.knowledge.files.requests import ImportRequests
from services.knowledge.keeping.store import Store
from tests.unit.knowledge.bags import CARD_CITY, DAY, TREE

pytestmark = pytest.mark.connected

COUNT = 450
APPLY = ApplyImport(import_id="file", imported_by="张三", authorised_by="李主任")
DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from services.knowledge.keeping import incoming, store
from tests.connected.knowledge.test_killed import APPLY, requests_on

def dying(statements):
    yield from statements[:3]
    os.kill(os.getpid(), signal.SIGKILL)

incoming.EFFECT = dying(incoming.EFFECT)
place = sys.argv[1]

async def main():
    opened = store.Store(place if "://" in place else Path(place))
    await opened.open()
    await requests_on(opened).apply(APPLY)

asyncio.run(main())
"""


def requests_on(store: Store) -> ImportRequests:
    """Imports into a store, of nobody who searches."""

    async def nothing() -> None: ...

    requests = ImportRequests(TREE, lambda: DAY)
    requests.use(store, nothing)
    return requests


async def test_killed_in_the_middle_nothing_is_imported_and_nothing_staged_is_lost(
    store: Store, database_place: Path | str
) -> None:
    requests = requests_on(store)
    before = replace(CARD_CITY, id="before", authorised_by="李主任").row()
    await requests.stage(StageRows(import_id="first", rows=(FileRow(line=2, cells=before),)))
    await requests.apply(ApplyImport(import_id="first", imported_by="张三"))
    standing = (await store.entries(), await store.number())
    rows = [replace(CARD_CITY, id=f"k{n}", question=f"问题{n}").row() for n in range(COUNT)]
    for start in range(0, COUNT, 200):
        some = enumerate(rows[start : start + 200], start=start + 2)
        staged = tuple(FileRow(line=line, cells=row) for line, row in some)
        await requests.stage(StageRows(import_id="file", rows=staged))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DYING, str(database_place))
    assert await process.wait() == -signal.SIGKILL
    assert (await store.entries(), await store.number()) == standing
    # Whoever comes next can write at once, and finds the rows where they were.
    done = await asyncio.wait_for(requests.apply(APPLY), 20)
    assert (done.added, done.bad) == (COUNT, 0)
    assert len(await store.entries()) == COUNT + 1
