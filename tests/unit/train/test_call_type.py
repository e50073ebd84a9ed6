"""`banxi train call-type`: a bad row is named and nothing is learned; good rows teach the same
every time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from contracts.call_type import CallType
from services.call_type.tables import load_tables
from services.call_type.types.assess import Assessor
from services.call_type.types.model import load_model
from tools.train import call_type as module
from tools.train.call_type import call_type

pytestmark = pytest.mark.unit

SAYINGS: dict[CallType, str] = {
    "咨询": "请问补办{}要带什么材料，在哪里办理",
    "发泄": "真是气死人了，{}跑了八趟都没人理，什么破地方",
    "投诉": "我要投诉{}那家单位，拖着不办还乱收费，给我登记",
}
MATTERS = ("社保卡", "居住证", "公交卡", "房产证")


def line(author: int, number: int, **other: Any) -> dict[str, Any]:
    """A call of an author; every third one turns."""
    labels = list(SAYINGS)
    first = labels[number % 3]
    last = labels[(number + 1) % 3] if number % 3 == 0 else first
    matter = MATTERS[(author + number) % 4]
    said = [SAYINGS[first], SAYINGS[last], SAYINGS[last]]
    turns = []
    for at, text in enumerate(said):
        turns.append({"role": "agent", "text": f"您好请讲，{matter}的事情我记一下"})
        turns.append({"role": "caller", "text": text.format(matter) + "啊吧呢"[at]})
    return {
        "id": f"a{author}n{number}",
        "turns": turns,
        "label": last,
        "start": first,
        "switch": [{"turn": 3, "label": last}] if last != first else [],
        "intake": "投诉" if last == "投诉" else "业务咨询",
    } | other


def write(folder: Path, author: int, lines: Sequence[dict[str, Any] | str]) -> Path:
    texts = [x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines]
    path = folder / f"calls-author-{author}.jsonl"
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


class ScriptedEncoder:
    """Vectors from the characters of a text."""

    id = "scripted 1"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str], purpose: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        assert purpose == "query"
        self.texts += texts
        rows = np.ones((len(texts), 16))
        for row, text in zip(rows, texts, strict=True):
            for character in text:
                row[ord(character) % 16] += 1
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(unit, dtype=np.float32)


def train(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(call_type)
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> ScriptedEncoder:
    """In place of the real model, whose loading alone takes longer than all the rest."""
    scripted = ScriptedEncoder()
    monkeypatch.setattr(module, "load_encoder", lambda _: scripted)
    return scripted


@pytest.fixture
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is said before the model is loaded."""

    def load(_: object) -> ScriptedEncoder:
        pytest.fail("the model was loaded")

    monkeypatch.setattr(module, "load_encoder", load)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (line(2, 1, label="抱怨"), "line 2, label"),
        (line(2, 1, intake="闲聊"), "line 2, intake"),
        (line(2, 1, switch=[{"turn": 2, "label": "发泄"}]), "line 2, switch.0.turn"),
        (line(2, 1, turns=[{"role": "boss", "text": "喂"}]), "line 2, turns.0.role"),
        (line(2, 1, turns=[{"role": "caller", "text": " "}]), "line 2, turns.0.text"),
        (line(2, 0), "line 2, id"),
        ("{", "line 2"),
    ],
    ids=["label", "intake", "switch", "role", "text", "id", "json"],
)
@pytest.mark.usefixtures("no_encoder")
def test_a_bad_row_is_named_and_nothing_is_learned(
    tmp_path: Path, bad: dict[str, Any] | str, said: str
) -> None:
    """The model that was there stays."""
    write(tmp_path, 1, [line(1, n) for n in range(8)])
    write(tmp_path, 2, [line(2, 0), bad])
    out = tmp_path / "types.npz"
    out.write_bytes(b"before")
    result = train("--exemplars", tmp_path, "--out", out)
    assert result.exit_code != 0
    assert f"calls-author-2.jsonl, {said}" in result.stderr
    assert "请问" not in result.stderr, "callers' words are not repeated"
    assert out.read_bytes() == b"before"


@pytest.mark.usefixtures("no_encoder")
def test_what_cannot_be_learned_from_is_said_in_a_sentence(tmp_path: Path) -> None:
    out = tmp_path / "types.npz"
    for arguments, said in (
        (("--exemplars", tmp_path, "--out", out), "holds no labelled calls"),
        (("--out", tmp_path / "nowhere" / "types.npz"), "there is no folder"),
        (("--exemplars", tmp_path, "--out", out, "--tables", tmp_path), "signals.yaml"),
    ):
        result = train(*arguments)
        assert result.exit_code != 0
        assert said in result.stderr
        write(tmp_path, 1, [line(1, n) for n in range(3)])
    result = train("--exemplars", tmp_path, "--out", out)
    assert result.exit_code != 0
    assert "at least two authors" in result.stderr
    assert not out.exists()


def test_two_authors_teach_a_model_twice_the_same(tmp_path: Path, encoder: ScriptedEncoder) -> None:
    """It can be used at once, and says what it was learned from."""
    for author in (1, 2):
        write(tmp_path, author, [line(author, n) for n in range(12)])
    outs = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for out in outs:
        result = train("--exemplars", tmp_path, "--out", out)
        assert result.exit_code == 0, result.output
        assert "macro_f1" in result.stdout
    assert outs[0].read_bytes() == outs[1].read_bytes()
    texts = encoder.texts[: len(encoder.texts) // 2]
    assert len(set(texts)) == len(texts), "each text is embedded once"
    model = load_model(outs[0])
    assert (model.about.embedding, model.about.calls) == ("scripted 1", 24)
    assert model.about.figures["accuracy"] > 0.8
    judge = Assessor(load_tables(), model)
    for label, saying in SAYINGS.items():
        text = saying.format("老年证")
        (seen,) = encoder.embed([text], "query")
        for vector in (seen, None):
            said = judge.ear.hear("e", "caller", (0, 5000), text, vector)
            now = judge.hear(judge.begin(), said)
            assert now.best(1)[0][0] == label
            assert now.intake == ("投诉" if label == "投诉" else "业务咨询")
