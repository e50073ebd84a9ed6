"""`banxi kb wordings`, `announce`, `unannounce` on a data directory, with no service running."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.knowledge.keeping.store import Store
from tests.conftest import free_port
from tools.kb_wordings import register

pytestmark = pytest.mark.unit


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    async def made() -> None:
        store = Store(tmp_path / "knowledge.db")
        await store.open()
        await store.close()

    asyncio.run(made())
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BANXI_NATS_URL", f"nats://127.0.0.1:{free_port()}")
    app = typer.Typer()
    register(app)
    return app


def test_from_announced_to_withdrawn(app: typer.Typer) -> None:
    run = CliRunner().invoke
    said = run(app, ["announce", "停水", "--body", "明早恢复", "--topic", "没水了", "--by", "b01"])
    assert said.exit_code == 0, said.output
    wording_id = said.output.split()[2].rstrip(";")
    listed = run(app, ["wordings"])
    assert all(word in listed.output for word in (wording_id, "停水", "all", "b01"))
    for wrong, why in (
        (["--region", "没有县"], "not in the table of regions"),
        (["--until", "2020-01-01"], "must lie ahead"),
        (["--by", "b" * 65], "by"),
    ):
        refused = run(app, ["announce", "又一条", "--body", "x", *wrong])
        assert refused.exit_code == 1
        assert why in refused.output
    assert run(app, ["unannounce", wording_id, "--by", "b01"]).exit_code == 0
    assert "no wording stands" in run(app, ["wordings"]).output
    assert "withdrawn" in run(app, ["wordings", "--past"]).output
    assert run(app, ["unannounce", "nobody-knows"]).exit_code == 1
