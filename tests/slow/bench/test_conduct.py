"""`banxi bench conduct` with the real model, on a handful of utterances."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tools.bench_conduct import bench_conduct

pytestmark = pytest.mark.slow

LINES = [
    {"id": "1", "role": "agent", "text": "您好，请问有什么可以帮您"},
    {"id": "2", "role": "agent", "text": "您去投诉好了", "prev": "投诉是您的权利"},
    {"id": "3", "role": "caller", "text": "这我怎么知道"},
    {"id": "4", "role": "agent", "text": "您去投诉好了", "prev": "投诉是您的权利"},
    {"id": "5", "role": "agent", "text": "这个我不清楚，您问问别人吧，我们这边管不了"},
]
app = typer.Typer()
app.command()(bench_conduct)


def test_a_handful_of_utterances(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    arguments = ["--file", str(file), "--rounds", "3"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    # The caller's is left out, and what is said twice counts once.
    assert figures["utterances"] == 3
    assert figures["rounds"] == 3
    for way in ("exact", "matching", "words_only", "with_meaning", "embedding"):
        assert 0 < figures[f"{way}_p50_ms"] <= figures[f"{way}_p95_ms"]
    assert figures["exact_p95_over_embedding_p95"] < 1
    assert figures["with_meaning_p50_ms"] > figures["words_only_p50_ms"]
    assert "words_only_p95_over_embedding_p95" in figures
    table = CliRunner().invoke(app, arguments)
    assert table.exit_code == 0, table.output
    assert "with meaning" in table.stdout


def test_a_file_without_an_agents_words_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps(LINES[2]), encoding="utf-8")
    result = CliRunner().invoke(app, ["--file", str(file)])
    assert result.exit_code == 2
    assert "no words of an agent" in result.stderr
