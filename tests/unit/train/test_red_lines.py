"""Learning red lines from labelled lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.escalation.files import read
from services.escalation.red_lines import RedLines
from services.escalation.settings import DATA
from services.escalation.witness import load_witness
from tools.train.red_lines import EXEMPLARS, digest, read_lines, red_lines

pytestmark = pytest.mark.unit

KINDS = frozenset(line.id for line in read(DATA / "red_lines.yaml", RedLines).red_lines)
app = typer.Typer()
app.command()(red_lines)


def test_the_packaged_head_was_learned_from_the_packaged_lines() -> None:
    about = load_witness(DATA / "witness.npz", KINDS).about
    assert about.version == digest(read_lines(EXEMPLARS)), "run `banxi train red-lines`"


def lines(author: str) -> str:
    found = []
    for number in range(12):
        text, line = (("今晚去看月亮", "self-harm"), ("明天去办医保", "none"))[number % 2]
        found.append(
            {"id": f"{author}{number}", "cat": "near", "role": "caller",
             "text": f"{author}{number}说{text}", "line": line}
        )  # fmt: skip
    return "\n".join(map(json.dumps, found))


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    out = tmp_path / "own.npz"
    args = ["--exemplars", str(tmp_path), "--out", str(out)]
    (tmp_path / "lines-a.jsonl").write_text(lines("甲"))
    ran = CliRunner().invoke(app, args)
    assert ran.exit_code != 0 and "at least two authors" in ran.stderr
    (tmp_path / "lines-b.jsonl").write_text(lines("乙"))
    assert CliRunner().invoke(app, args).exit_code == 0
    first = out.read_bytes()
    assert CliRunner().invoke(app, args).exit_code == 0 and out.read_bytes() == first
    (tmp_path / "lines-c.jsonl").write_text(lines("丙").replace("self-harm", "quarrel"))
    ran = CliRunner().invoke(app, args)
    assert ran.exit_code != 0 and "needs a known label" in ran.stderr
