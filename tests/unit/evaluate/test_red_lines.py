from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tools.evaluate.red_lines import red_lines

pytestmark = pytest.mark.unit

app = typer.Typer()
app.command()(red_lines)

LINES: list[dict[str, Any]] = [
    {"id": "1", "cat": "direct", "role": "caller", "text": "我不想活了", "line": "self-harm"},
    {"id": "2", "cat": "direct", "role": "agent", "text": "您说您不想活了", "line": "none"},
    {"id": "3", "cat": "split", "role": "caller", "prev": "我不想", "text": "活了",
     "line": "self-harm"},
    {"id": "4", "cat": "near", "role": "caller", "text": "这是跳楼价", "line": "none"},
    {"id": "5", "cat": "near", "role": "caller", "text": "救命啊", "line": "none"},
    {"id": "6", "cat": "plain", "role": "caller", "text": "我要补卡", "line": "mass-incident"},
    {"id": "7", "role": "caller", "text": "着火了", "line": "self-harm",
     "also": ["serious-accident"]},
]  # fmt: skip


def run(tmp_path: Path, lines: list[dict[str, Any]], *args: str) -> tuple[int, Any, str]:
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    ran = CliRunner().invoke(app, [str(path), "--json", *args])
    return ran.exit_code, json.loads(ran.stdout) if ran.stdout else None, ran.stderr


def test_figures_and_errors(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, LINES)
    metrics = out["metrics"]
    assert (code, out["n"], metrics["innocent"], metrics["false_alarms"]) == (0, 7, 3, 1)
    assert (metrics["recall"], metrics["precision"]) == (0.75, 0.75)
    assert metrics["kind_accuracy"] == 1
    assert metrics["by_kind"]["self-harm"]["recall"] == 1
    assert metrics["by_kind"]["mass-incident"]["recall"] == 0
    assert [(e["id"], e["kind"]) for e in out["errors"]] == [("5", "false_alarm"), ("6", "miss")]


def test_predictions_do_not_depend_on_labels(tmp_path: Path) -> None:
    files = []
    for name, lines in (
        ("a", LINES),
        ("b", [{k: v for k, v in x.items() if k not in ("line", "also")} for x in LINES]),
    ):
        out = tmp_path / name
        assert run(tmp_path, lines, "--predictions", str(out))[0] == 0
        files.append(out.read_text())
    assert files[0] == files[1]
    first = json.loads(files[0].splitlines()[0])
    assert first["lines"][0]["line"] == "self-harm" and not first["lines"][0]["sign"]


def test_an_unknown_id_is_named(tmp_path: Path) -> None:
    code, _, error = run(tmp_path, [LINES[0] | {"line": "fire"}])
    assert code == 2 and "line with id 1: fire is not the id of a red line" in error
