"""`banxi kb` on a data directory, no service running."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.knowledge.files.table import read_table
from services.knowledge.files.writing import WRITERS
from tests.conftest import free_port
from tests.unit.knowledge.bags import ENTRIES, Bags
from tests.unit.knowledge.tables import csv_bytes
from tools.kb import app

pytestmark = pytest.mark.unit

RUN = CliRunner()
ROWS = [entry.row() for entry in ENTRIES]
NAMED = ("--authorised-by", "李主任")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BANXI_NATS_URL", f"nats://127.0.0.1:{free_port()}")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("tools.encoder.LocalEmbedder", Bags)
    return tmp_path


def kb(*arguments: object) -> tuple[int, str, str]:
    result = RUN.invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_import_search_list_export(directory: Path) -> None:
    file = directory / "kb.csv"
    file.write_bytes(csv_bytes(ROWS))
    code, out, err = kb("import", file, *NAMED)
    assert (code, err) == (0, "")
    assert f"{len(ROWS)} added, 0 changed, 0 unchanged\n" in out

    code, out, _ = kb("search", "社保卡丢了怎么补办", "--region", "云岭县")
    assert code == 0
    assert "card-3" in out
    assert "transfer to 省社保卡中心" in out
    assert "内部口径" not in out

    code, out, _ = kb("list")
    assert (code, f"{len(ROWS)} entries" in out) == (0, True)
    assert "李主任" in out
    code, out, _ = kb("list", "--show", "transfer")
    assert (code, "2 entries" in out) == (0, True)

    for ending in WRITERS:
        exported = directory / f"out{ending}"
        assert kb("export", exported)[0] == 0
        assert read_table(exported).count == len(ROWS)
        code, out, _ = kb("import", exported, "--dry-run")
        assert (code, f"0 added, 0 changed, {len(ROWS)} unchanged" in out) == (0, True)
    code, _, err = kb("export", exported)
    assert (code, "exists already" in err) == (1, True)
    code, _, err = kb("export", directory / "out.txt")
    assert (code, "give it the ending .csv, .xlsx, .jsonl" in err) == (1, True)


def test_a_bad_row_stops_the_import_unless_the_good_ones_are_asked_for(directory: Path) -> None:
    file = directory / "kb.csv"
    bad = ROWS[0] | {"id": "bad", "valid_to": "2026/2/30", "answer": "答" * 20_000}
    file.write_bytes(csv_bytes([*ROWS, bad, ROWS[1]]))
    code, out, err = kb("import", file, *NAMED)
    assert code == 1
    assert err.splitlines() == [
        "line 7, answer: has 20,000 characters, at most 3,000 are taken",
        "line 7, valid_to: 2026/2/30 is no day of the calendar",
        "line 8, id: card-2 stands on line 3 already",
    ]
    assert "nothing was imported, since 2 rows are bad" in out
    assert "0 entries" in kb("list")[1]

    code, out, _ = kb("import", file, *NAMED, "--partly")
    assert code == 1
    assert f"{len(ROWS)} added, 0 changed, 0 unchanged; 2 rows not taken" in out
    assert f"{len(ROWS)} entries" in kb("list")[1]


def test_rows_marked_authorised_need_somebody_else(directory: Path) -> None:
    file = directory / "kb.csv"
    file.write_bytes(csv_bytes(ROWS[:1]))
    code, _, err = kb("import", file, "--dry-run")
    assert code == 1
    assert "line 2, authorised_by: marked authorised, but nobody is named" in err
    who = ("--imported-by", "Zhang San", "--authorised-by", "zhang san ")
    code, _, err = kb("import", file, "--dry-run", *who)
    assert (code, err) == (
        1,
        "who imports cannot authorise: name the one who authorised it\n",
    )
    file.write_bytes(csv_bytes([ROWS[0] | {"authorised_by": "ZHANG SAN"}]))
    code, _, err = kb("import", file, "--dry-run", "--imported-by", "Zhang San")
    assert (code, "line 2, authorised_by: names who imports" in err) == (1, True)


def test_a_dry_run_shows_what_would_change_and_changes_nothing(directory: Path) -> None:
    file = directory / "kb.csv"
    file.write_bytes(csv_bytes(ROWS).decode().encode("gb18030"))
    code, out, _ = kb("import", file, "--dry-run", *NAMED)
    assert code == 0
    assert "read as GB18030" in out
    assert f"it would be: {len(ROWS)} added, 0 changed, 0 unchanged; nothing was changed" in out
    assert not (directory / "data" / "knowledge.db").exists()

    kb("import", file, *NAMED)
    newer = ROWS[1] | {"answer": "到市大厅<b>二楼</b>补卡\u200b。", "authorised_by": "李主任"}
    double = ROWS[3] | {"id": "wage-2", "question": "被拖欠工资怎么投诉"}
    file.write_bytes(csv_bytes([newer, double]))
    code, out, _ = kb("import", file, "--dry-run", *NAMED)
    assert code == 0
    assert "到市大厅一楼补卡。" in out
    assert "到市大厅<b>二楼</b>补卡。" in out
    assert "line 2, answer: characters that nobody can see were taken out: 1" in out
    assert "line 3: wage-2 is a double of wage-1" in out
    assert "it would be: 1 added, 1 changed, 0 unchanged; nothing was changed" in out
    assert f"{len(ROWS)} entries" in kb("list")[1]


def test_a_file_that_is_no_table_ends_with_2(directory: Path) -> None:
    file = directory / "notes.txt"
    file.write_text("just notes\n")
    code, _, err = kb("import", file)
    assert code == 2
    assert "has no column id, question" in err
    assert kb("import", directory / "none.csv")[0] == 2


@pytest.mark.parametrize("ending", WRITERS)
def test_a_template_can_be_imported_as_it_is(ending: str, directory: Path) -> None:
    file = directory / f"mine{ending}"
    code, out, _ = kb("template", file)
    assert (code, f"banxi kb import {file} --dry-run" in out) == (0, True)
    code, out, err = kb("import", file, "--dry-run")
    assert (code, err, "it would be: 1 added" in out) == (0, "", True)


def test_without_a_base_list_and_export_say_so(directory: Path) -> None:
    for command in (["list"], ["export", directory / "x.csv"]):
        code, _, err = kb(*command)
        assert (code, "there is no knowledge base" in err) == (1, True)
