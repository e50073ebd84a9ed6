"""What counts as said twice, and by whom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tools.near_duplicates import duplicates, near_duplicates

pytestmark = pytest.mark.unit

TEXT = "我家的水停了三天也没有人管"
CHANGED = "我家的水，停了三天也没有人来"
OTHER = "请问养老保险在哪里办理转移"

app = typer.Typer()
app.command()(duplicates)


def test_within_an_author_and_across() -> None:
    texts = [TEXT, CHANGED, OTHER, OTHER, TEXT[::-1], "好的好的", "好的好的"]
    found = near_duplicates(texts, ["a", "a", "a", "b", "b", "a", "b"])
    assert found.within.tolist() == [True, True, False, False, False, False, False]
    assert found.across.tolist() == [False, False, True, True, False, False, False]
    assert found.figures() == {
        "compared": 5, "within_author": 0.4, "across_authors": 0.4, "any": 0.8,
    }  # fmt: skip


def test_the_threshold_is_the_jaccard_likeness_of_runs_of_four() -> None:
    # 10 and 10 runs, 9 of them shared: 9 of 11.
    one, other = TEXT, TEXT[:-1] + "到"
    assert near_duplicates([one, other], "ab", 9 / 11).across.all()
    assert not near_duplicates([one, other], "ab", 9 / 11 + 1e-9).across.any()


@given(st.lists(st.tuples(st.text(max_size=40), st.sampled_from("ab")), max_size=12))
def test_any_texts(pairs: list[tuple[str, str]]) -> None:
    texts, authors = [text for text, _ in pairs], [author for _, author in pairs]
    found = near_duplicates(texts, authors)
    backwards = near_duplicates(texts[::-1], authors[::-1])
    assert found.within.tolist() == backwards.within.tolist()[::-1]
    assert not (found.within | found.across)[~found.compared].any()


def test_a_folder(tmp_path: Path) -> None:
    def call(id_: str, *texts: str) -> str:
        turns = [{"role": "caller", "text": text} for text in texts]
        labels = {"label": "叙述", "start": "叙述", "intake": "投诉", "cat": "plain"}
        return json.dumps({"id": id_, "turns": turns} | labels) + "\n"

    def moment(id_: str, text: str, expect: str) -> str:
        turns = [{"role": "agent", "text": text}]
        return json.dumps({"id": id_, "turns": turns, "expect": expect}) + "\n"

    (tmp_path / "calls-a.jsonl").write_text(call("1", TEXT) + call("2", CHANGED, OTHER))
    (tmp_path / "calls-b.jsonl").write_text(call("1", TEXT[::-1], "嗯"))
    lines = moment("1", TEXT, "none") + moment("2", OTHER, "bad-line")
    (tmp_path / "moments-b.jsonl").write_text(lines)
    run = CliRunner().invoke(app, [str(tmp_path), "--json"])
    assert run.exit_code == 0, run.output
    said = json.loads(run.stdout)
    assert said["calls"]["intake"]["叙述"]["投诉"] == 3
    assert said["calls"]["cat"]["叙述"] == {"plain": 3}
    assert said["moments"] == {"bad-line": 1, "none": 1}
    assert (said["authors"]["a"]["calls"], said["authors"]["all"]["moments_none"]) == (2, 1)
    assert said["near_duplicates"]["calls"]["any"] == 0
    assert said["near_duplicates"]["first_caller_turns"] == {
        "compared": 3, "within_author": pytest.approx(2 / 3), "across_authors": 0,
        "any": pytest.approx(2 / 3),
    }  # fmt: skip
    table = CliRunner().invoke(app, [str(tmp_path)])
    assert table.exit_code == 0
    assert TEXT not in table.output
    (tmp_path / "calls-a.jsonl").write_text("{")
    broken = CliRunner().invoke(app, [str(tmp_path)])
    assert broken.exit_code == 2
    assert "calls-a.jsonl, line 1" in broken.output
