"""Files on the editors' page, with the real knowledge service: in by parts, out as a download."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from contracts.requests import ExportEntries
from contracts.requests.imports import PART_BYTES
from services.common.bus import Bus
from services.common.service import Service
from services.knowledge.files.table import read_table
from services.knowledge.keeping.entry_tables import DeedRow
from services.knowledge.keeping.store import Store
from tests.connected.desk.running import RunningDesk
from tests.connected.desk.test_kb import ask
from tests.connected.knowledge.test_service import service
from tests.unit.knowledge.bags import CARD_CITY, ENTRIES
from tests.unit.knowledge.tables import csv_bytes

pytestmark = pytest.mark.connected

__all__ = ["service"]  # the fixture
ROWS = tuple(entry.row() for entry in ENTRIES)
BAD = ROWS[0] | {"id": "bad", "region": "火星市"}


async def hand_over(
    browser: httpx.AsyncClient, content: bytes, *, size: int = PART_BYTES, name: str = "条目.csv"
) -> tuple[str, Any]:
    """Hand a file over in parts; its id, and what was said of the last part."""
    import_id = uuid.uuid4().hex
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    for part, body in enumerate(parts):
        params: dict[str, Any] = {"file": name, "part": part, "last": part + 1 == len(parts)}
        answer = await browser.post(f"/as/k01/kb/import/{import_id}", params=params, content=body)
        assert answer.status_code == 200, answer.text
    return import_id, answer.json()


async def test_a_file_is_planned_and_taken_and_comes_out_again(
    desk: RunningDesk, service: Service, tmp_path: Path
) -> None:
    async with desk.browser() as browser:
        await desk.enter(browser, "k01")
        # Parts may end within a character.
        import_id, read = await hand_over(browser, csv_bytes([*ROWS, BAD]), size=101)
        assert read["data"] == {
            "staged": len(ROWS) + 1, "form": "UTF-8", "passed_over": [], "problems": [],
        }  # fmt: skip
        planned = (await ask(browser, "k01", "plan", import_id=import_id))["data"]
        messages = {(p["line"], p["field"]): p["message"] for p in planned["problems"]}
        assert messages[len(ROWS) + 2, "region"] == "“火星市”不在地区表里"
        assert "没有写授权人" in messages[2, "authorised_by"]
        # Whoever the page says imports: the account does.
        own = {"import_id": import_id, "authorised_by": " K 01", "imported_by": "k02"}
        refused = await ask(browser, "k01", "plan", **own)
        assert (refused["field"], refused["message"]) == (
            "authorised_by",
            "导入的人不能自己授权：请写明另一位授权人。",
        )
        named = {"import_id": import_id, "authorised_by": "李主任"}
        refused = await ask(browser, "k01", "apply", **named)
        assert refused["message"] == "有 1 行有问题，什么也没有导入。"
        assert (await ask(browser, "k01", "list"))["data"]["total"] == 0
        done = (await ask(browser, "k01", "apply", **named, partly=True))["data"]
        assert (done["added"], done["bad"]) == (len(ROWS), 1)
        assert (await ask(browser, "k01", "list"))["data"]["total"] == len(ROWS)
        gone = await ask(browser, "k01", "apply", **named)
        assert gone["message"] == "这次导入的内容已经不在了，请重新选择文件。"

        for form in ("csv", "xlsx", "jsonl"):
            answer = await browser.post(f"/as/k01/kb/export/{form}")
            assert answer.headers["content-disposition"].endswith(f'"entries.{form}"')
            file = tmp_path / f"out.{form}"
            file.write_bytes(answer.content)
            assert read_table(file).count == len(ROWS)
            import_id, _ = await hand_over(browser, answer.content, name=file.name)
            same = (await ask(browser, "k01", "plan", import_id=import_id))["data"]
            assert (same["unchanged"], same["bad"], same["added"]) == (len(ROWS), 0, 0)


async def exports(directory: Path) -> list[tuple[str, str]]:
    """Who exported what, as it is kept."""
    store = Store(directory / "knowledge.db")
    await store.open()
    try:
        async with store.database.reading() as session:
            rows = await session.scalars(select(DeedRow).where(DeedRow.act == "exported"))
            return [(deed.by, deed.reason) for deed in rows]
    finally:
        await store.close()


async def test_a_large_file_goes_out_in_parts(
    desk: RunningDesk, bus: Bus, service: Service, tmp_path: Path
) -> None:
    many = [replace(CARD_CITY, id=f"k{n}", answer="长" * 2900, authorised_by="李主任").row()
            for n in range(100)]  # fmt: skip
    async with desk.browser() as browser:
        await desk.enter(browser, "k01")
        import_id, read = await hand_over(browser, csv_bytes(many))
        assert read["data"]["staged"] == 100
        assert (await ask(browser, "k01", "apply", import_id=import_id))["data"]["added"] == 100
        answer = await browser.post("/as/k01/kb/export/csv")
        assert len(answer.content) > 2 * PART_BYTES
        assert await exports(tmp_path) == [("k01", "csv, 100 entries")]
        assert answer.content.decode("utf-8-sig").count("长" * 2900) == 100
        first = await bus.request(ExportEntries(export_id="e", format="csv"), ExportEntries.reply)
        assert (first.parts, first.entries) == (3, 100)  # type: ignore[attr-defined]


async def test_files_that_are_none_are_said_in_chinese(desk: RunningDesk, service: Service) -> None:
    async with desk.browser() as browser:
        await desk.enter(browser, "k01")
        header = ",".join(ROWS[0]).encode()
        for content, said in (
            (b"a,b\n1,2\n", "“条目.csv”表头里缺少这些列：id, question,"),
            (b"\xd0\xcf\x11\xe0 old", "“条目.csv”是旧版 Excel 文件"),
            (b"PK\x03\x04 broken", "“条目.csv”不是 Excel 文件，或者已经损坏"),
            (header, "“条目.csv”只有表头，没有内容。"),
            (header + b'\n"a', "从第 2 行起不是正确的 CSV"),
        ):
            import_id, answer = await hand_over(browser, content)
            assert (answer["ok"], said in answer["message"]) == (False, True), answer
            gone = await ask(browser, "k01", "plan", import_id=import_id)
            assert gone["code"] == "not_found"
        params: dict[str, Any] = {"file": "x.csv", "part": 1, "last": True}
        await browser.post("/as/k01/kb/import/i2", params=params | {"part": 0, "last": False})
        await ask(browser, "k01", "drop", import_id="i2")
        missing = await browser.post("/as/k01/kb/import/i2", params=params, content=header)
        assert missing.json()["message"] == "“x.csv”没有传完整，请重新选择文件。"


async def test_offices_come_by_file_all_or_none(desk: RunningDesk, service: Service) -> None:
    async with desk.browser() as browser:
        await desk.enter(browser, "k01")

        async def bring(rows: str, *, dry_run: bool = False) -> Any:
            params: dict[str, Any] = {"file": "机构.csv", "dry_run": dry_run}
            content = f"id,name,region,phone\n{rows}".encode()
            answer = await browser.post("/as/k01/kb/import-offices", params=params, content=content)
            return answer.json()

        good, bad = "o1,社保大厅,临江市,0599-1\n", "o2,火星大厅,火星市,0599-2\n"
        said = (await bring(good + bad))["data"]
        assert [(p["line"], p["message"]) for p in said["problems"]] == [
            (3, "“火星市”不在地区表里")
        ]
        assert (await bring(good, dry_run=True))["data"]["added"] == 1
        assert (await ask(browser, "k01", "offices"))["data"]["total"] == 0
        assert (await bring(good))["data"]["added"] == 1
        [office] = (await ask(browser, "k01", "offices"))["data"]["offices"]
        assert (office["name"], office["updated_by"]) == ("社保大厅", "k01")
        assert (await bring(""))["message"] == "“机构.csv”只有表头，没有内容。"


async def test_an_office_that_another_has_changed_since_is_not_written_over(
    desk: RunningDesk, service: Service
) -> None:
    async with desk.browser() as one, desk.browser() as other:
        await desk.enter(one, "k01")
        await desk.enter(other, "k02")
        office = {"office_id": "o1", "name": "社保大厅", "region": "临江市", "phone": "0599-1"}
        await ask(one, "k01", "put_office", office=office, seen=None)
        [seen] = (await ask(one, "k01", "offices"))["data"]["offices"]
        mine = {"office": office | {"hours": "9:00"}, "seen": seen["updated_at"]}
        theirs = {"office": office | {"phone": "0599-2"}, "seen": seen["updated_at"]}
        assert (await ask(other, "k02", "put_office", **theirs))["ok"]
        refused = await ask(one, "k01", "put_office", **mine)
        assert (refused["code"], refused["field"]) == ("conflict", "seen")
        assert "由 k02 改过" in refused["message"]
        [now] = (await ask(one, "k01", "offices", text="o1"))["data"]["offices"]
        assert now["phone"] == "0599-2"
        again = await ask(one, "k01", "put_office", **mine | {"seen": now["updated_at"]})
        assert again["data"]["office"]["hours"] == "9:00"


async def test_only_editors_from_our_page_hand_over_and_fetch(
    desk: RunningDesk, bus: Bus, service: Service
) -> None:
    paths = ("import/i1?file=a&part=0&last=true", "import-offices?file=a", "export/csv")
    async with desk.browser() as browser:
        for path in paths:
            assert (await browser.post(f"/as/k01/kb/{path}")).status_code == 401
        await desk.enter(browser, "a015")
        await desk.enter(browser, "k01")
        foreign = {"Origin": "http://evil.example"}
        for path in paths:
            assert (await browser.post(f"/as/a015/kb/{path}")).status_code == 403
            assert (await browser.post(f"/as/k01/kb/{path}", headers=foreign)).status_code == 403
        large = b"x" * (PART_BYTES + 1)
        for path in paths[:2]:
            assert (await browser.post(f"/as/k01/kb/{path}", content=large)).status_code == 413
        for path in ("import/i1?file=a&part=50", "import/i.1?file=a&part=0", "export/exe"):
            assert (await browser.post(f"/as/k01/kb/{path}")).status_code in (400, 404, 422)
