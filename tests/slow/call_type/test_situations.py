"""Situations with the real embedding model: trained twice, and judged with and without labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.call_type.situations.recogniser import PACKAGED
from tools.evaluate.situations import situations as evaluate
from tools.train.situations import situations as train

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

EXEMPLARS = PACKAGED.parent / "exemplars"
EVERY = 8
"""One of so many exemplars is enough to see the whole way."""


def lines(author: int) -> list[str]:
    """Some moments of an author."""
    file = EXEMPLARS / f"moments-author-{author:02}.jsonl"
    return file.read_text(encoding="utf-8").splitlines()[::EVERY]


def run(command: object, *arguments: object) -> str:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_same_exemplars_give_the_same_head(tmp_path: Path) -> None:
    """Byte for byte; the figures by author are printed; the head can be used."""
    for author in (6, 7, 8):
        name = f"moments-author-{author:02}.jsonl"
        (tmp_path / name).write_text("\n".join(lines(author)), encoding="utf-8")
    heads = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for head in heads:
        said = run(train, "--exemplars", tmp_path, "--out", head)
        assert "by words alone" in said
    assert heads[0].read_bytes() == heads[1].read_bytes()
    moments = tmp_path / "some.jsonl"
    moments.write_text("\n".join(lines(9)), encoding="utf-8")
    report = json.loads(run(evaluate, moments, "--json", "--head", heads[0]))
    assert report["n"] == len(lines(9))
    assert report["metrics"]["none_false_rate"] < 0.3


def test_labels_never_change_what_is_said(tmp_path: Path) -> None:
    """Predictions of a file and of the same file without labels are identical."""
    labelled, bare = tmp_path / "labelled.jsonl", tmp_path / "bare.jsonl"
    labelled.write_text("\n".join(lines(10)), encoding="utf-8")
    moments = [json.loads(line) for line in lines(10)]
    stripped = [{"id": one["id"], "turns": one["turns"]} for one in moments]
    bare.write_text("\n".join(json.dumps(one) for one in stripped), encoding="utf-8")
    said = []
    for file in (labelled, bare):
        out = tmp_path / f"{file.stem}.predictions"
        run(evaluate, file, "--json", "--predictions", out)
        said.append(out.read_text(encoding="utf-8"))
    assert said[0] == said[1]
    first = json.loads(said[0].splitlines()[0])
    assert set(first) == {"id", "situation", "confidence"}
