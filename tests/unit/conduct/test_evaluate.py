from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tools.evaluate.commands import app

pytestmark = pytest.mark.unit

LINES: list[dict[str, Any]] = [
    {"id": "1", "role": "agent", "text": "这个嘛我怎么知道呀", "cat": "insert",
     "hits": [{"rule": "how-would-i-know", "words": "这个嘛我怎么知道"}]},
    {"id": "2", "role": "agent", "text": "您去投诉好了", "prev": "投诉是您的权利", "cat": "split",
     "hits": [{"rule": "shirking", "words": "您去投诉好了", "also": ["go-complain"]}]},
    {"id": "3", "role": "caller", "text": "这我怎么知道", "cat": "caller", "hits": []},
    {"id": "4", "role": "agent", "text": "您烦不烦，这我怎么知道", "cat": "near", "hits": []},
    {"id": "5", "role": "agent", "text": "好的，马上为您办理", "cat": "exact",
     "hits": [{"rule": "impossible", "words": "好的"}]},
]  # fmt: skip


def evaluate(tmp_path: Path, lines: list[str], *options: str) -> tuple[int, str, str]:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["conduct", str(path), "--words-only", *options])
    return result.exit_code, result.stdout, result.stderr


def test_figures_by_hand(tmp_path: Path) -> None:
    lines = [json.dumps(line) for line in LINES]
    code, out, _ = evaluate(tmp_path, lines, "--json")
    report = json.loads(out)
    assert code == 0
    assert report["n"] == 5
    assert report["metrics"] == {
        "precision": 0.6667, "recall": 0.6667, "f1": 0.6667, "rule_accuracy": 1.0,
        "false_alarms": 1, "innocent": 2,
    }  # fmt: skip
    assert report["baseline"]["name"] == "exact match"
    assert report["baseline"]["recall"] == 0.0
    assert report["by_category"]["split"]["recall"] == 1.0
    assert {(e["id"], e["kind"]) for e in report["errors"]} == {("4", "false_alarm"), ("5", "miss")}


def test_predictions_do_not_look_at_labels(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    evaluate(tmp_path, [json.dumps(line) for line in LINES], "--predictions", str(out))
    labelled = out.read_text(encoding="utf-8")
    bare = [{k: v for k, v in line.items() if k not in ("hits", "cat")} for line in LINES]
    evaluate(tmp_path, [json.dumps(line) for line in bare], "--predictions", str(out))
    assert out.read_text(encoding="utf-8") == labelled
    first = json.loads(labelled.splitlines()[0])
    assert first["id"] == "1"
    assert first["hits"][0]["rule"] == "how-would-i-know"
    assert set(first["hits"][0]) == {"rule", "words", "score"}


def test_bad_lines_are_named_and_the_rest_is_judged(tmp_path: Path) -> None:
    lines = [json.dumps(LINES[0]), "not json", '{"id":"9","text":"没有角色"}', json.dumps(LINES[0])]
    code, out, err = evaluate(tmp_path, lines, "--json")
    report = json.loads(out)
    assert code == 1
    assert report["n"] == 1
    assert [e["line"] for e in report["errors"] if e["kind"] == "bad_line"] == [2, 3, 4]
    assert "line 3: role" in err
    assert "没有角色" not in err


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["conduct", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_a_table_for_people(tmp_path: Path) -> None:
    code, out, _ = evaluate(tmp_path, [json.dumps(line) for line in LINES], "--show-errors")
    assert code == 0
    for part in ("precision", "exact match", "split", "false_alarm", "您烦不烦，这我怎么知道"):
        assert part in out
