"""What other rules would change, on labelled lines and on calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.conduct.books import DATA
from tools.evaluate.commands import app

pytestmark = pytest.mark.unit

OLD = DATA / "phrases.yaml"
HARMLESS = "请您带上身份证"
BAD = "这我怎么知道"
LINES = [
    {"id": "same", "role": "agent", "text": "请诚实回答", "hits": [{"rule": "answer-honestly"}]},
    {"id": "lost", "role": "agent", "text": BAD, "hits": [{"rule": "how-would-i-know"}]},
    {"id": "new", "role": "agent", "text": HARMLESS, "hits": []},
    {"id": "other", "role": "agent", "text": f"{BAD}，{HARMLESS}"},
    {"id": "caller", "role": "caller", "text": f"{BAD}，{HARMLESS}", "hits": []},
]


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """Rules by which one phrase is right and another, harmless one is not."""
    text = OLD.read_text(encoding="utf-8").replace("required:\n", f"required:\n  - {BAD}\n", 1)
    before, rule, after = text.partition("  - id: answer-honestly\n")
    wordings = f"    wordings:\n      - {HARMLESS}\n"
    path = tmp_path / "new.yaml"
    path.write_text(before + rule + after.replace("    wordings:\n", wordings, 1), encoding="utf-8")
    return path


def evaluate(file: Path, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["conduct", str(file), "--words-only", *options])
    return result.exit_code, result.stdout, result.stderr


def test_what_would_change_with_figures_of_both(tmp_path: Path, new: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in LINES), encoding="utf-8")
    code, out, _ = evaluate(path, "--rules", str(new), "--against", str(OLD), "--json")
    report = json.loads(out)
    assert code == 0
    assert [(c["id"], c["kind"], c.get("right")) for c in report["changes"]] == [
        ("lost", "no_longer_raised", "old"),
        ("new", "newly_raised", "old"),
        ("other", "other_rule", None),
    ]
    other = report["changes"][2]
    assert other["old"] == [{"rule": "how-would-i-know", "words": BAD}]
    assert other["new"] == [{"rule": "answer-honestly", "words": HARMLESS}]
    assert (report["metrics"]["recall"], report["baseline"]["recall"]) == (0.5, 1.0)
    assert report["baseline"]["name"].startswith("against 1+")


def test_calls_of_a_folder_for_people(tmp_path: Path, new: Path) -> None:
    script = [
        {"role": "agent", "start": 1, "end": 3, "text": HARMLESS},
        {"role": "caller", "start": 4, "end": 6, "text": HARMLESS},
        # The first half of it is near enough, the other is not.
        {"role": "agent", "start": 7, "end": 8, "text": "这我怎么"},
        {"role": "agent", "start": 8.5, "end": 9, "text": "知道"},
        {"role": "agent", "start": 60, "end": 61, "text": "知道"},
    ]
    folder = tmp_path / "calls"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps({"script": script}), encoding="utf-8")
    code, out, _ = evaluate(folder, "--rules", str(new), "--against", str(OLD))
    assert code == 0
    changes = [line for line in out.splitlines() if line.startswith(("+ ", "- ", "~ "))]
    assert len(changes) == 2
    assert changes[0].startswith("+ one@1000  nothing → answer-honestly")
    assert changes[1].startswith("- one@8500  how-would-i-know")
    assert "decided otherwise: 2 (1 newly raised, 1 no longer raised, 0 other rule)" in out


@pytest.mark.parametrize("what", ["none", "both", "empty", "rules"])
def test_a_sentence_where_it_cannot_be_tried(tmp_path: Path, what: str) -> None:
    lines = tmp_path / "x.jsonl"
    lines.touch()
    arguments = {
        "none": [],
        "both": [str(lines), "--calls", "3"],
        "empty": [str(tmp_path)],
        "rules": [str(lines), "--against", str(tmp_path)],
    }[what]
    result = CliRunner().invoke(app, ["conduct", "--words-only", *arguments])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
