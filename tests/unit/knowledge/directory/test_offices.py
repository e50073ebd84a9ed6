"""The directory as entries, as sources of transfers, and as a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.card import Source
from contracts.requests import Office
from services.knowledge.directory.entries import office_entries
from services.knowledge.directory.files import read_office_file, write_offices
from services.knowledge.directory.known import Directory
from services.knowledge.directory.rows import read_offices
from services.knowledge.files.rows import Numbered
from services.knowledge.files.table import Unreadable
from services.knowledge.settings import SAMPLE_OFFICES
from tests.unit.knowledge.bags import EARLY, TREE

pytestmark = pytest.mark.unit

CITY = Office(
    office_id="lj-pension",
    name="养老保险处",
    aliases=("社保局", "养老处"),
    region="临江市",
    phone="0599-555-1102",
    address="江滨路16号",
    liaison="沈同志",
    liaison_phone="0599-555-7102",
    updated_by="王编辑",
)
COUNTY = CITY.model_copy(update={"office_id": "yl", "region": "云岭县", "phone": "0599-555-3102"})


def test_an_office_gives_an_entry_for_each_aspect_that_is_recorded() -> None:
    entries = {entry.id: entry for entry in office_entries([CITY])}
    assert set(entries) == {"office-lj-pension-phone", "office-lj-pension-address"}
    phone = entries["office-lj-pension-phone"]
    assert phone.answer == "养老保险处的电话是0599-555-1102。"
    assert phone.answerable and phone.sort == "office" and phone.region == "临江市"
    assert any("社保局" in wording for wording in phone.wordings)


def test_a_liaisons_number_is_in_no_entry() -> None:
    told = "".join(repr(entry) for entry in office_entries([CITY, COUNTY]))
    assert "7102" not in told and "沈同志" not in told


def test_the_office_of_the_nearest_region_is_responsible() -> None:
    known = Directory((CITY, COUNTY))
    assert known.responsible("养老保险处", "云岭县", TREE) == COUNTY
    assert known.responsible("养老保险处", "临江市", TREE) == CITY
    assert known.responsible("社保局", "临江市", TREE) == CITY
    assert known.responsible("养老保险处", "安平市", TREE) is None
    assert known.responsible("供水集团", "临江市", TREE) is None


def test_a_transfer_learns_its_number_and_liaison_where_the_entry_does_not_say() -> None:
    bare = replace(EARLY, liaison=None, phone=None).source()
    known = Directory((CITY, COUNTY)).completed(bare, "云岭县", TREE)
    assert known.phone == "0599-555-3102"
    assert known.liaison == "沈同志（转接用 0599-555-7102，不报给来电人）"
    assert known.model_copy(update={"phone": None, "liaison": None}) == bare


def test_what_an_entry_says_itself_stands() -> None:
    said: Source = EARLY.source()
    assert Directory([CITY]).completed(said, "云岭县", TREE) == said
    numbered = replace(EARLY, liaison=None, phone="12333").source()
    known = Directory([CITY]).completed(numbered, "云岭县", TREE)
    assert (known.phone, (known.liaison or "")[:3]) == ("12333", "沈同志")


def test_only_a_transfer_learns_from_the_directory() -> None:
    told = replace(EARLY, authorised=True, liaison=None, phone=None).source()
    assert Directory([CITY]).completed(told, "临江市", TREE) == told


def test_bad_rows_are_named_and_good_ones_kept() -> None:
    good = {"id": "a", "name": "甲", "region": "临江市", "phone": "1"}
    rows = [
        Numbered(2, good),
        Numbered(3, good | {"id": "b", "region": "月球"}),
        Numbered(4, good),
        Numbered(5, good | {"id": "c", "phone": ""}),
        Numbered(6, good | {"id": "d e", "name": ""}),
        Numbered(7, {"id": "", "name": ""}),
        Numbered(8, good | {"id": "f", "address": "长" * 201}),
    ]
    taken = read_offices(rows, TREE)
    assert [office.office_id for office in taken.offices] == ["a"]
    assert [(problem.line, problem.field) for problem in taken.problems] == [
        (3, "region"),
        (4, "id"),
        (5, "phone"),
        (6, "name"),
        (6, "id"),
        (8, "address"),
    ]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_written_is_read_again_the_same(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"offices.{ending}"
    odd = CITY.model_copy(update={"office_id": "x", "hours": "=1+1", "aliases": ("甲;乙", "丙")})
    assert write_offices(path, [CITY, odd]) == 2
    taken = read_offices(read_office_file(path), TREE)
    assert taken.problems == ()
    assert taken.offices == tuple(o.model_copy(update={"updated_by": ""}) for o in (CITY, odd))


def test_a_table_in_gb18030_is_read_and_what_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "offices.csv"
    path.write_bytes("id,name,region,phone\na,养老保险处,临江市,1\n".encode("gb18030"))
    assert read_offices(read_office_file(path), TREE).offices[0].name == "养老保险处"
    for content, why in (
        (b"", "is empty"),
        (b"id,name\n", "has no column region"),
        (b"id,name,region,id\n", "twice"),
        (b'id,name,region\n"a,b\n', "is no CSV from line 2"),
        (b"PK\x03\x04", "workbook"),
    ):
        path.write_bytes(content)
        with pytest.raises(Unreadable, match=why):
            read_offices(read_office_file(path), TREE)


def test_the_sample_directory_is_whole() -> None:
    from services.knowledge.settings import KnowledgeSettings, region_tree

    taken = read_offices(read_office_file(SAMPLE_OFFICES), region_tree(KnowledgeSettings()))
    assert taken.problems == () and len(taken.offices) >= 30
