"""`banxi eval call-type` on words alone: what it says, and that labels have no say in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from contracts.call_type import CALL_TYPES, INTAKES
from tools.evaluate.call_type import call_type, misheard_call
from tools.evaluate.hearing import Judge, load_assessor
from tools.evaluate.lines import Call, Turn

pytestmark = pytest.mark.unit

app = typer.Typer()
app.command()(call_type)

TURNS = [
    {"role": "agent", "text": "您好，请讲"},
    {"role": "caller", "text": "我想问一下公交卡丢了去哪里补"},
    {"role": "agent", "text": "到任意一个服务点"},
    {"role": "caller", "text": "我要投诉你们那个窗口，态度太差了，必须给我处理"},
]
LABELS = {
    "label": "投诉",
    "accept": ["发泄"],
    "start": "咨询",
    "switch": [{"turn": 3, "label": "投诉"}],
    "intake": "投诉",
    "cat": "shift",
}


def write(path: Path, *lines: dict[str, Any]) -> Path:
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: object) -> Any:
    ran = CliRunner().invoke(app, [*map(str, arguments), "--words-only", "--json"])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def test_labels_do_not_change_what_is_said(tmp_path: Path) -> None:
    call = {"id": "1", "turns": TURNS, "history": ["投诉公交卡窗口"]}
    silent = {"id": "2", "turns": [{"role": "agent", "text": "您好"}]}
    bare = write(tmp_path / "bare.jsonl", call, silent)
    labelled = write(tmp_path / "labelled.jsonl", call | LABELS, silent | LABELS)
    said = []
    for file in (bare, labelled):
        out = tmp_path / f"{file.stem}.out"
        report = run(file, "--predictions", out)
        assert report["n"] == 2
        said.append(out.read_text(encoding="utf-8"))
    assert said[0] == said[1]
    first, second = map(json.loads, said[0].splitlines())
    assert len(first["labels_after"]) == 2
    assert {first["label"], *first["labels_after"]} <= {*CALL_TYPES, None}
    assert second == {
        "id": "2", "label": None, "confidence": 0, "labels_after": [], "switch": [], "intake": None,
    }  # fmt: skip


def test_misheard_calls_stand_beside_the_calls_as_they_are(tmp_path: Path) -> None:
    file = write(tmp_path / "c.jsonl", *({"id": i, "turns": TURNS} | LABELS for i in "ab"))
    plain, misheard = run(file), run(file, "--misheard", 0.5, "--seed", 2)
    assert "as_is" not in plain
    assert misheard["as_is"] == plain["metrics"]
    assert misheard["metrics"]["misheard"] == 0.5
    for name, was in plain["metrics"].items():
        now, change = misheard["metrics"][name], misheard["change"][name]
        assert change is None if was is None else change == pytest.approx(now - was, abs=2e-4)


def test_both_sides_are_misheard_and_nothing_else() -> None:
    call = Call.model_validate({"id": "1", "turns": TURNS, "history": ["投诉"]} | LABELS)
    heard = misheard_call(call, 0.5, 2)
    assert heard == misheard_call(call, 0.5, 2) != misheard_call(call, 0.5, 3)
    for now, was in zip(heard.turns, call.turns, strict=True):
        assert now.text != was.text
        assert now.role == was.role
    assert heard.model_copy(update={"turns": call.turns}) == call


def test_confusion_in_the_report_and_as_a_picture(tmp_path: Path) -> None:
    file = write(tmp_path / "c.jsonl", {"id": "1", "turns": TURNS} | LABELS)
    report = run(file, "--picture", tmp_path / "out.svg")
    [(said, count)] = report["confusion"]["投诉"].items()
    assert (said in (*CALL_TYPES, "未定"), count) == (True, 1)
    assert f"判断{said}：1" in (tmp_path / "out.svg").read_text(encoding="utf-8")
    nowhere = tmp_path / "nowhere" / "out.svg"
    failed = CliRunner().invoke(app, [str(file), "--words-only", "--picture", str(nowhere)])
    assert failed.exit_code == 2
    assert "cannot be written" in failed.output


def test_lines_that_are_no_calls_are_named(tmp_path: Path) -> None:
    good, bad = {"id": "1", "turns": TURNS} | LABELS, {"id": "2", "turns": TURNS, "label": "闲聊"}
    file = write(tmp_path / "c.jsonl", good, bad, {"id": "3", "turns": [{"role": "boss"}]})
    ran = CliRunner().invoke(app, [str(file), "--words-only", "--json"])
    assert ran.exit_code == 1
    assert json.loads(ran.stdout)["n"] == 1
    assert "line 2: label: Input should be '咨询'" in ran.stderr
    assert "line 3: turns.0.role: Input should be 'agent' or 'caller'" in ran.stderr
    assert TURNS[1]["text"] not in ran.output


TEXTS = st.sampled_from(
    ["", " ", "嗯", "喂", "hello there", "我要投诉", "哎", "。。。", "好" * 700]
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["agent", "caller"]), TEXTS | st.text(max_size=8))),
    st.lists(TEXTS, max_size=2),
)
def test_any_dialogue_is_heard(said: list[tuple[Any, str]], history: list[str]) -> None:
    turns = tuple(Turn(role=role, text=text) for role, text in said)
    heard = JUDGE.hear(Call(id="1", turns=turns, history=tuple(history)))
    callers = [at for at, turn in enumerate(turns) if turn.role == "caller"]
    assert len(heard.labels_after) == len(callers)
    assert {at for at, _ in heard.switch} <= set(callers)
    assert heard.intake in (*INTAKES, None)
    assert 0 <= heard.confidence <= 1
    assert heard.label == (heard.labels_after[-1] if callers else None)


JUDGE = Judge(load_assessor(), None)
