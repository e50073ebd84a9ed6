"""`banxi kb` on a data directory, no service running."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.knowledge.files.table import read_table, write_csv
from tests.conftest import free_port
from tests.unit.knowledge.bags import ENTRIES, Bags
from tools.kb import app

pytestmark = pytest.mark.unit

RUN = CliRunner()
ROWS = [entry.row() for entry in ENTRIES]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BANXI_NATS_URL", f"nats://127.0.0.1:{free_port()}")
    monkeypatch.setattr("tools.encoder.LocalEmbedder", Bags)
    return tmp_path


def kb(*arguments: object) -> tuple[int, str, str]:
    result = RUN.invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_import_search_list_export(directory: Path) -> None:
    file = directory / "kb.csv"
    bad = ROWS[0] | {"id": "bad", "valid_to": "2025-13-01"}
    file.write_bytes(write_csv([*ROWS, bad, ROWS[1]]))

    code, out, err = kb("import", file, "--authorised-by", "李主任")
    assert code == 1
    assert f"{len(ROWS)} added, 0 changed, 0 unchanged; 2 rows not taken" in out
    assert "line 7, valid_to: 2025-13-01 is not a date: write it as 2026-01-31\n" in err
    assert "line 8, id: card-2 stands on line 3 already\n" in err

    code, out, _ = kb("search", "社保卡丢了怎么补办", "--region", "云岭县")
    assert code == 0
    assert "card-3" in out
    assert "transfer to 省社保卡中心" in out
    assert "内部口径" not in out

    code, out, _ = kb("list")
    assert (code, f"{len(ROWS)} entries" in out) == (0, True)

    exported = directory / "out.csv"
    assert kb("export", exported)[0] == 0
    assert len(read_table(exported.read_bytes()).rows) == len(ROWS)
    code, out, _ = kb("import", exported)
    assert (code, f"0 added, 0 changed, {len(ROWS)} unchanged" in out) == (0, True)
    code, _, err = kb("export", exported)
    assert (code, "exists already" in err) == (1, True)


def test_rows_marked_authorised_need_somebody_else(directory: Path) -> None:
    file = directory / "kb.csv"
    file.write_bytes(write_csv(ROWS[:1]))
    code, _, err = kb("import", file)
    assert code == 1
    assert "line 2, authorised_by: marked authorised, but nobody is named" in err
    code, _, err = kb("import", file, "--imported-by", "甲", "--authorised-by", "甲")
    assert (code, err) == (
        1,
        "who imports cannot authorise: name the one who authorised it\n",
    )


def test_a_dry_run_changes_nothing(directory: Path) -> None:
    file = directory / "kb.csv"
    file.write_bytes(write_csv(ROWS).decode("utf-8-sig").encode("gb18030"))
    code, out, _ = kb("import", file, "--dry-run", "--authorised-by", "李主任")
    assert code == 0
    assert "read as GB18030" in out
    assert f"{len(ROWS)} rows are good; nothing was changed" in out
    code, _, err = kb("list")
    assert (code, "no knowledge base" in err) == (1, True)


def test_a_file_that_is_no_table_ends_with_2(directory: Path) -> None:
    file = directory / "notes.txt"
    file.write_text("just notes\n")
    code, _, err = kb("import", file)
    assert code == 2
    assert "has no column id, question" in err
    assert kb("import", directory / "none.csv")[0] == 2
