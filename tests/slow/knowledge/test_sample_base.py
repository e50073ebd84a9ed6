"""The real model on the sample base: the figures this was built to do not fall unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.knowledge.settings import SAMPLE_BASE
from tools.evaluate.knowledge import knowledge

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DEV = Path(__file__).parents[3] / "eval_data" / "kb.dev.jsonl"
app = typer.Typer()
app.command()(knowledge)


def test_figures_on_the_developers_questions(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = [str(DEV), "--kb", str(SAMPLE_BASE), "--date", "2026-11-22", "--json"]
    result = CliRunner().invoke(app, [*arguments, "--predictions", str(out)])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    metrics, baseline = report["metrics"], report["baseline"]
    assert metrics["leaks"] == 0
    assert metrics["answer_at_1"] >= 0.85 > baseline["answer_at_1"]
    assert metrics["transfer_at_1"] >= 0.85 > baseline["transfer_at_1"]
    assert metrics["none_rejected"] >= 0.93
    assert report["by_category"]["asr"]["answer_at_1"] >= 0.9
    # Beside the embedding, finding and deciding cost little.
    assert metrics["latency_p50"] < 3 * metrics["embedding_p50"]
