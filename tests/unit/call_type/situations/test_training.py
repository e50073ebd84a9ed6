"""`banxi train situations`: a bad row is named, and nothing is trained or written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tools.train.situations import situations

pytestmark = pytest.mark.unit


def row(number: int, **other: Any) -> str:
    turns = [{"role": "caller", "text": f"你叫什么名字{number}"}]
    return json.dumps({"id": f"m{number}", "turns": turns, "expect": "asks-agent-name"} | other)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row(2, expect="asks-my-name"), "line 2, expect"),
        (row(2, turns=[{"role": "boss", "text": "喂"}]), "line 2, turns.0.role"),
        (row(2, turns=[{"role": "caller", "text": ""}]), "line 2, turns.0.text"),
        (row(2, turns=[]), "line 2, turns"),
        ("{", "line 2"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, bad: str, said: str) -> None:
    """File, line, field; the old head stays."""
    (tmp_path / "moments-a.jsonl").write_text(row(1), encoding="utf-8")
    (tmp_path / "moments-b.jsonl").write_text(f"{row(1)}\n{bad}\n", encoding="utf-8")
    out = tmp_path / "situations.npz"
    app = typer.Typer()
    app.command()(situations)
    result = CliRunner().invoke(app, ["--exemplars", str(tmp_path), "--out", str(out)])
    assert result.exit_code != 0
    assert f"moments-b.jsonl, {said}" in result.stderr
    assert not out.exists()
