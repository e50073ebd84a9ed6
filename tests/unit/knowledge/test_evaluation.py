"""`banxi eval knowledge`: figures, and predictions that no label changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.knowledge.files.writing import write_entries
from tests.unit.knowledge.bags import ENTRIES, BagEncoder, Bags
from tools.evaluate.knowledge import knowledge

pytestmark = pytest.mark.unit

app = typer.Typer()
app.command()(knowledge)

LINES: list[dict[str, Any]] = [
    {"text": "社保卡丢了怎么补办", "expect": {"kind": "answer", "id": "card-2"}, "cat": "exact"},
    {"text": "那个射宝卡丢了怎么补办", "expect": {"kind": "answer", "id": "card-2"}, "cat": "asr"},
    {
        "text": "社保卡丢了怎么补办",
        "region": "云岭县",
        "expect": {"kind": "transfer", "id": "card-3", "department": "省社保卡中心"},
    },
    {
        "text": "怎么补办",
        "context": ["我的社保卡丢了"],
        "expect": {"kind": "answer", "id": "card-2"},
    },
    {"text": "嗯嗯，好的", "expect": {"kind": "none"}},
    {"text": "拖欠工资怎么投诉", "expect": {"kind": "none"}},
]


def run(folder: Path, lines: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    kb, file, out = folder / "kb.csv", folder / "lines.jsonl", folder / "out.jsonl"
    if not kb.exists():
        write_entries(kb, ENTRIES)
    file.write_text(
        "".join(json.dumps({"id": f"q{i}"} | line) + "\n" for i, line in enumerate(lines))
    )
    result = CliRunner().invoke(
        app,
        [str(file), "--kb", str(kb), "--date", "2026-06-01", "--json", "--predictions", str(out)],
    )
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report, out.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.evaluate.knowledge.LocalEmbedder", Bags)
    monkeypatch.setattr("tools.evaluate.plain.load", lambda _: BagEncoder())


def test_figures_and_predictions(tmp_path: Path) -> None:
    report, written = run(tmp_path, LINES)
    assert report["n"] == len(LINES)
    metrics = report["metrics"]
    assert (metrics["answer_at_1"], metrics["answer_at_3"]) == (1.0, 1.0)
    assert (metrics["transfer_at_1"], metrics["none_rejected"], metrics["leaks"]) == (1, 0.5, 0)
    assert 0 < metrics["latency_p50"] <= metrics["latency_p95"]
    # Plain vector search answers the county with what the province or the city says.
    assert report["baseline"]["name"] == "plain vector search"
    assert report["baseline"]["leaks"] > 0
    assert set(report["by_category"]) == {"", "exact", "asr"}
    assert [error["id"] for error in report["errors"]] == ["q5"]

    predictions = [json.loads(line) for line in written.splitlines()]
    assert set(predictions[0]) == {
        "id",
        "kind",
        "entry",
        "department",
        "alternatives",
        "answer",
    }
    assert predictions[0]["answer"] == "到市大厅一楼补卡。"
    assert predictions[2] | {"alternatives": []} == {
        "id": "q2",
        "kind": "transfer",
        "entry": "card-3",
        "department": "省社保卡中心",
        "alternatives": [],
        "answer": None,
    }
    assert (predictions[4]["kind"], predictions[4]["entry"]) == ("none", None)


def test_labels_change_no_prediction(tmp_path: Path) -> None:
    bare = [{k: v for k, v in line.items() if k not in ("expect", "cat")} for line in LINES]
    labelled, bare_report = run(tmp_path, LINES), run(tmp_path, bare)
    assert labelled[1] == bare_report[1]
    assert bare_report[0]["metrics"]["answer_at_1"] is None
    assert bare_report[0]["errors"] == []
