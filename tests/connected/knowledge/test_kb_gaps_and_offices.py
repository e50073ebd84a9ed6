"""`banxi kb gaps …` and `banxi kb offices …` on the database, where no service runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from services.knowledge.gaps.store import Asking, add
from services.knowledge.keeping.store import Store
from services.knowledge.settings import SAMPLE_OFFICES
from tests.conftest import free_port
from tests.connected.knowledge.test_gaps import ASKED, NOW
from tools import kb_gaps, kb_offices

pytestmark = pytest.mark.connected

app = typer.Typer()
kb_gaps.register(app)
kb_offices.register(app)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BANXI_NATS_URL", f"nats://127.0.0.1:{free_port()}")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


async def begin(directory: Path, *words: str) -> list[str]:
    """A base with gaps; their ids."""
    store = Store(directory / "knowledge.db")
    await store.open()
    ids = []
    async with store.database.writing() as session:
        for i, said in enumerate(words):
            gap = await add(session, None, Asking(f"e{i}", f"c{i}", NOW, said, None), None, None)
            ids.append(gap.id)
    await store.close()
    return ids


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done


def test_gaps_are_listed_dismissed_and_opened_again(directory: Path) -> None:
    (gap_id,) = asyncio.run(begin(directory, ASKED))
    assert ASKED in run("gaps", "--asked").output
    assert "is dismissed" in run("gap", "dismiss", gap_id, "--reason", "不归我们").output
    assert "0 of 0 gaps" in run("gaps").output
    assert gap_id in run("gaps", "--state", "dismissed").output
    assert "is open" in run("gap", "reopen", gap_id).output
    run("gap", "link", gap_id, "nobody", code=1)
    run("gap", "dismiss", "nothing", code=1)


def test_offices_go_in_and_out_by_files(directory: Path) -> None:
    asyncio.run(begin(directory))
    assert "32 added" in run("offices", "import", str(SAMPLE_OFFICES), "--dry-run").output
    assert "0 offices" in run("offices", "list").output
    assert "32 added" in run("offices", "import", str(SAMPLE_OFFICES), "--by", "编").output
    book = directory / "offices.xlsx"
    run("offices", "export", str(book))
    assert "32 unchanged" in run("offices", "import", str(book)).output
    run("offices", "remove", "lj-fund")
    assert "lj-fund" not in run("offices", "list", "--text", "临江市").output
    run("offices", "remove", "lj-fund", code=1)
    run("offices", "export", str(book), code=1)


def test_a_table_with_a_bad_row_changes_nothing(directory: Path) -> None:
    asyncio.run(begin(directory))
    bad = directory / "bad.csv"
    bad.write_text("id,name,region,phone\na,甲,临江市,1\nb,乙,月球,2\n", encoding="utf-8")
    assert "line 3, region" in run("offices", "import", str(bad), code=1).output
    assert "0 offices" in run("offices", "list").output
    run("offices", "import", str(directory / "none.csv"), code=2)
    bad.write_bytes(b"")
    run("offices", "import", str(bad), code=2)
