"""Import and export in a browser, with the real knowledge service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from contracts.requests import ApplyImport, FileRow, KnowledgeImported, RowsStaged, StageRows
from services.common.bus import Bus
from services.knowledge.files.table import read_table
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, look, visible, watched
from tests.unit.knowledge.bags import CARD_CITY
from tests.unit.knowledge.tables import csv_bytes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CARD = CARD_CITY.row() | {"authorised_by": ""}
OTHER = replace(CARD_CITY, id="x-1", question="公积金怎么提取", answer="<b>到窗口</b>。").row() | {
    "authorised": "no"
}


@pytest.mark.usefixtures("knowing")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_file_is_looked_at_authorised_taken_and_fetched(
    browser: Browser, bus: Bus, restartable: Restartable, tmp_path: Path, scheme: Any
) -> None:
    desk = await restartable.start()
    async with watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen:
        page = await seen.open(desk, "k01")
        part = page.locator("#import")
        choose = part.locator("input[type=file]")

        async def can_be_read(name: str) -> None:
            for width in (400, 1280):
                await page.set_viewport_size({"width": width, "height": 900})
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
                assert await page.evaluate(CONTRAST) == [], name
                await look(page, f"kb-files-{name}-{width}-{scheme}")

        def file(name: str, *rows: dict[str, str]) -> Any:
            return {"name": name, "mimeType": "text/csv", "buffer": csv_bytes(rows)}

        await page.keyboard.press("5")
        await expect(part.locator(".drop")).to_be_visible()
        await can_be_read("empty")
        old: Any = {"name": "旧表.xls", "mimeType": "", "buffer": b"\xd0\xcf\x11\xe0 old"}
        await choose.set_input_files(old)
        await expect(part.locator("> .problem")).to_have_text(
            "“旧表.xls”是旧版 Excel 文件（.xls）：请另存为 .xlsx。"
        )

        dragged = await page.evaluate_handle(
            """() => {
                const data = new DataTransfer();
                data.items.add(new File(["a,b\\n1,2"], "拖.csv"));
                return data;
            }"""
        )
        await part.locator(".drop").dispatch_event("drop", {"dataTransfer": dragged})
        await expect(part.locator("> .problem")).to_contain_text("“拖.csv”表头里缺少这些列：id")

        await choose.set_input_files(file("条目.csv", CARD, OTHER, OTHER | {"region": "火星市"}))
        await visible(page, "2 行有问题").to_be_visible()
        await visible(page, "“火星市”不在地区表里").to_be_visible()
        await expect(part.get_by_role("button", name="导入 1 条")).to_be_disabled()
        await can_be_read("bad")
        await part.locator("[name=authorised_by]").fill("K01 ")
        await page.keyboard.press("Enter")
        await visible(page, "导入的人不能自己授权").to_be_visible()
        await part.locator("[name=authorised_by]").fill("李主任")
        await page.keyboard.press("Enter")
        await visible(page, "1 行有问题").to_be_visible()
        # The plan outlives a look at another view.
        await page.locator("[data-view=all]").click()
        await visible(page, "知识库还是空的").to_be_visible()
        await page.locator("[data-view=files]").click()
        await part.locator("[name=partly]").check()
        await can_be_read("ready")
        await part.get_by_role("button", name="导入其余 2 条").click()
        await expect(part.locator(".done")).to_contain_text("新增 2 条")

        mended = CARD | {"answer": CARD["answer"] + "请带照片。", "authorised_by": "李主任"}
        await choose.set_input_files(file("改.csv", mended, OTHER))
        await expect(part.locator(".rows ins")).to_contain_text("请带照片。")
        await can_be_read("change")
        # Another import changes one of the rows after that was looked at.
        row = FileRow(line=2, cells=OTHER | {"answer": "到新窗口。"})
        await bus.request(StageRows(import_id="k02", rows=(row,)), RowsStaged)
        await bus.request(ApplyImport(import_id="k02", imported_by="k02"), KnowledgeImported)
        await part.get_by_role("button", name="导入 1 条").click()
        await expect(part.locator("> .problem")).to_contain_text("什么也没有导入")
        await visible(page, "会写入 2 条").to_be_visible()
        await can_be_read("anew")
        await part.get_by_role("button", name="导入 2 条").click()
        await expect(part.locator(".done")).to_contain_text("改动 2 条")
        await expect(part.locator("> .problem")).to_be_empty()

        await choose.set_input_files(file("再改.csv", mended | {"answer": "请来窗口。"}, OTHER))
        await part.get_by_role("button", name="放弃").click()
        await expect(part.locator(".drop")).to_be_visible()

        async with page.expect_download() as fetching:
            await page.locator("#export [data-form=xlsx]").click()
        fetched = await fetching.value
        assert fetched.suggested_filename == "知识库条目.xlsx"
        await fetched.save_as(tmp_path / "out.xlsx")
        assert read_table(tmp_path / "out.xlsx").count == 2

        offices = page.locator("#import-offices")
        content = "id,name,region,phone\no1,社保大厅,临江市,0599-1\n".encode()
        await offices.locator("input[type=file]").set_input_files(
            {"name": "机构.csv", "mimeType": "text/csv", "buffer": content}
        )
        await offices.get_by_role("button", name="导入 1 个").click()
        await expect(offices.locator(".done")).to_contain_text("新增 1 个")
        await page.locator("[data-view=all]").click()
        await expect(page.locator(".row")).to_have_count(2)
