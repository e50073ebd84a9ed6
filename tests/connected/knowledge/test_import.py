"""Imports into a running service: all or nothing, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Executable, select
from typer.testing import CliRunner

from contracts.requests import (
    ApplyImport,
    CheckEntry,
    DropImport,
    EntriesExported,
    EntriesListed,
    EntryChecked,
    EntryDetail,
    EntryFields,
    ExportEntries,
    FileRow,
    ImportPlanned,
    KnowledgeImported,
    ListEntries,
    PlanImport,
    ReadEntry,
    RowsStaged,
    StageRows,
)
from services.common.bus import Bus, RequestFailed
from services.common.service import Service
from services.knowledge.files.requests import ImportRequests
from services.knowledge.files.writing import WRITERS
from services.knowledge.keeping import incoming
from services.knowledge.keeping.entry_tables import DeedRow
from services.knowledge.keeping.store import Store
from tests.connected.knowledge.test_service import (
    answer_embeddings,
    bring,
    look,
    running,
    service,
)
from tests.unit.knowledge.bags import CARD, CARD_CITY, DAY, ENTRIES, TREE, WAGES, Bags
from tests.unit.knowledge.tables import csv_bytes
from tools.kb import app

pytestmark = pytest.mark.connected

__all__ = ["service"]  # the fixture
ROWS = tuple(entry.row() for entry in ENTRIES)
BAD = ROWS[0] | {"id": "bad", "valid_to": "2026/2/30", "region": "火星市"}


async def stage(bus: Bus, *rows: dict[str, str], first: int = 2) -> str:
    import_id = uuid.uuid4().hex
    staged = tuple(FileRow(line=line, cells=row) for line, row in enumerate(rows, start=first))
    said = await bus.request(StageRows(import_id=import_id, rows=staged), RowsStaged)
    assert said.staged == len(rows)
    return import_id


async def plan(bus: Bus, import_id: str, authorised_by: str | None = "李主任") -> ImportPlanned:
    asked = PlanImport(import_id=import_id, imported_by="张三", authorised_by=authorised_by)
    return await bus.request(asked, ImportPlanned)


async def apply(bus: Bus, import_id: str, *, partly: bool = False) -> KnowledgeImported:
    asked = ApplyImport(
        import_id=import_id, imported_by="张三", authorised_by="李主任", partly=partly
    )
    return await bus.request(asked, KnowledgeImported)


async def size(bus: Bus) -> int:
    return (await bus.request(ListEntries(), EntriesListed)).total


async def test_what_is_planned_is_what_is_done_and_bad_rows_stop_it(
    bus: Bus, service: Service
) -> None:
    import_id = await stage(bus, *ROWS, BAD)
    planned = await plan(bus, import_id)
    assert (planned.added, planned.bad) == (len(ROWS), 1)
    assert [(p.line, p.field) for p in planned.problems] == [
        (len(ROWS) + 2, "region"),
        (len(ROWS) + 2, "valid_to"),
    ]
    with pytest.raises(RequestFailed, match="1 rows are bad, so nothing was imported"):
        await apply(bus, import_id)
    assert await size(bus) == 0
    done = await apply(bus, import_id, partly=True)
    assert (done.added, done.bad) == (len(ROWS), 1)
    assert await size(bus) == len(ROWS)
    assert (await look(bus, "社保卡丢了怎么补办")).hits[0].source["authorised_by"] == "李主任"

    newer = replace(CARD_CITY, answer="到市大厅二楼补卡。", authorised_by="李主任")
    import_id = await stage(bus, *ROWS, newer.row() | {"id": "twin"})
    planned = await plan(bus, import_id)
    assert (planned.added, planned.unchanged, planned.bad) == (1, len(ROWS), 0)
    assert [(w.entry_id, w.other, w.sort) for w in planned.warnings][:1] == [
        ("twin", "card-2", "contradiction")
    ]


async def test_a_plan_that_others_have_overtaken_is_refused_and_planned_anew(
    bus: Bus, service: Service
) -> None:
    await bring(bus, *ROWS, authorised_by="李主任")
    city, wages = CARD_CITY.row(), WAGES.row()
    import_id = await stage(bus, city | {"answer": "到市大厅二楼补卡。"}, wages)
    assert (await plan(bus, import_id)).changed == 1
    # Somebody changes what it shows as changed; then what it shows as the same.
    for row, changes in ((city, 1), (wages, 2)):
        await bring(bus, row | {"answer": "刚改的。"}, authorised_by="李主任")
        for _ in range(2):
            with pytest.raises(RequestFailed, match="has changed meanwhile, nothing was imported"):
                await apply(bus, import_id)
        detail = await bus.request(ReadEntry(entry_id=row["id"]), EntryDetail)
        assert detail.in_force is not None
        assert detail.in_force.answer == "刚改的。"
        assert (await plan(bus, import_id)).changed == changes
    # What others do to entries it does not touch is no matter.
    await bring(bus, CARD.row() | {"answer": "到三楼。"}, authorised_by="李主任")
    assert (await apply(bus, import_id)).changed == 2


async def test_an_import_that_is_dropped_unknown_or_of_one_person_does_nothing(
    bus: Bus, service: Service
) -> None:
    import_id = await stage(bus, *ROWS)
    with pytest.raises(RequestFailed, match="who imports cannot authorise"):
        await plan(bus, import_id, authorised_by=" 张 三")
    assert (await plan(bus, import_id, authorised_by=None)).bad == 3
    await bus.request(DropImport(import_id=import_id), RowsStaged)
    for again in (plan, apply):
        with pytest.raises(RequestFailed, match="no rows of this import"):
            await again(bus, import_id)
    assert await size(bus) == 0


async def test_a_crash_in_the_middle_leaves_nothing_half_imported(
    bus: Bus, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answer_embeddings(bus, Bags())
    many = [replace(CARD_CITY, id=f"k{n}", question=f"问题{n}").row() for n in range(450)]
    async with running(bus, nats_url, tmp_path):
        import_id = await stage(bus, *many[:400])
    async with running(bus, nats_url, tmp_path):
        # The rows outlive a restart; the write fails under way.
        rows = tuple(FileRow(line=2 + n, cells=many[n]) for n in range(400, 450))
        await bus.request(StageRows(import_id=import_id, rows=rows), RowsStaged)

        def breaking(statements: Sequence[Executable]) -> Iterator[Executable]:
            yield from statements[:3]
            raise RuntimeError("the process dies")

        real = incoming.EFFECT
        monkeypatch.setattr(incoming, "EFFECT", breaking(real))
        with pytest.raises(RequestFailed, match="RuntimeError"):
            await apply(bus, import_id)
        monkeypatch.setattr(incoming, "EFFECT", real)
        assert await size(bus) == 0
        assert (await apply(bus, import_id)).added == 450
        assert await size(bus) == 450


async def test_an_import_of_too_many_rows_is_refused_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.knowledge.files.requests.MOST_ROWS", 3)
    store = Store(tmp_path / "knowledge.db")
    await store.open()
    requests = ImportRequests(TREE, lambda: DAY)

    async def nothing() -> None: ...

    requests.use(store, nothing)
    rows = tuple(FileRow(line=2 + n, cells=row) for n, row in enumerate(ROWS))
    with pytest.raises(RequestFailed, match="at most 3 rows"):
        await requests.stage(StageRows(import_id="i", rows=rows))
    with pytest.raises(RequestFailed, match="no rows of this import"):
        await requests.plan(PlanImport(import_id="i", imported_by="张三"))
    await store.close()


async def test_an_editor_is_told_what_stands_near(bus: Bus, service: Service) -> None:
    await bring(bus, *ROWS, authorised_by="李主任")
    fields = EntryFields(
        question="社保卡丢失了怎么补办", answer="到三楼。", department="d", region="临江市"
    )
    told = (await bus.request(CheckEntry(fields=fields), EntryChecked)).alike
    assert [(one.entry_id, one.sort) for one in told] == [
        ("card-2", "contradiction"),
        ("card-1", "overrules"),
        ("card-3", "overruled"),
    ]
    own = await bus.request(CheckEntry(entry_id="card-2", fields=fields), EntryChecked)
    assert "card-2" not in [one.entry_id for one in own.alike]


async def test_the_command_asks_the_running_service(
    bus: Bus, service: Service, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANXI_NATS_URL", nats_url)
    monkeypatch.setenv("BANXI_SITE", bus.site)
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path))
    file = tmp_path / "kb.csv"

    async def kb(*arguments: str) -> tuple[int, str, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        return result.exit_code, result.stdout, result.stderr

    file.write_bytes(csv_bytes([*ROWS, ROWS[0] | {"id": "x", "region": "火星市"}]))
    code, out, err = await kb("import", str(file), "--authorised-by", "李主任")
    assert code == 1
    assert "importing into the running service" in out
    assert err == f"line {len(ROWS) + 2}, region: 火星市 is not in the table of regions\n"
    file.write_bytes(csv_bytes(ROWS))
    code, out, err = await kb("import", str(file), "--authorised-by", "李主任")
    assert (code, err, f"{len(ROWS)} added" in out) == (0, "", True)
    assert service.figures.now()["vectors_missing"] == 0
    code, out, _ = await kb("search", "特殊工种能不能提前退休")
    assert code == 0
    assert "transfer to 养老保险处" in out
    code, out, _ = await kb("list")
    assert (code, f"{len(ROWS)} entries" in out) == (0, True)
    for ending in WRITERS:
        exported = str(tmp_path / f"out{ending}")
        assert (await kb("export", exported, "--by", "王五"))[0] == 0
        code, out, _ = await kb("import", exported)
        assert (code, f"0 added, 0 changed, {len(ROWS)} unchanged" in out) == (0, True)
    asked = ExportEntries(export_id="e", format="csv", by="赵六")
    await bus.request(asked, EntriesExported)
    # Who took everything out is kept as what was done to it is, and changes nothing.
    store = Store(tmp_path / "knowledge.db")
    await store.open()
    async with store.database.reading() as session:
        deeds = (
            await session.scalars(
                select(DeedRow).where(DeedRow.act == "exported").order_by(DeedRow.number)
            )
        ).all()
    assert [(deed.by, deed.reason) for deed in deeds] == [
        *(("王五", f"{ending[1:]}, {len(ROWS)} entries") for ending in WRITERS),
        ("赵六", f"csv, {len(ROWS)} entries"),
    ]
    assert (await store.since(deeds[0].number - 1)).ids == ()
    await store.close()
