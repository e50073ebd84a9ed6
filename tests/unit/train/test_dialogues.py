"""Labelled calls and moments: read as they are written, and every mistake named with its place."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.call_type import CALL_TYPES
from services.common.datafiles import DataFileError
from tools.train.dialogues import LabelledCall, digest, read_calls, read_moments

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
OURS = ROOT / "services" / "call_type" / "data" / "exemplars"
SITUATIONS = frozenset({"bad-line", "silent-caller"})
WORDS = "我家的水停了三天"


def call(**other: Any) -> dict[str, Any]:
    turns = [
        {"role": "agent", "text": "您好"},
        {"role": "caller", "text": WORDS},
        {"role": "agent", "text": "请讲"},
        {"role": "caller", "text": "我要投诉"},
    ]
    labels = {"label": "投诉", "start": "叙述", "switch": [{"turn": 3, "label": "投诉"}]}
    return {"id": "c1", "turns": turns, "intake": "投诉", **labels} | other


def moment(**other: Any) -> dict[str, Any]:
    return {"id": "m1", "turns": [{"role": "caller", "text": WORDS}], "expect": "none"} | other


def without(field: str, line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != field}


def write(path: Path, *lines: dict[str, Any] | str, ends: str = "\n") -> Path:
    texts = [x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines]
    path.write_bytes(ends.join(texts).encode())
    return path


def test_what_a_folder_holds(tmp_path: Path) -> None:
    write(tmp_path / "calls-b.jsonl", "\ufeff" + json.dumps(call()), "", "  ", ends="\r\n")
    write(tmp_path / "calls-author-a.jsonl", call(history=["停水"], cat="shift", mood="bad"))
    write(tmp_path / "moments-b.jsonl", moment(accept=["bad-line"]))
    one, two = read_calls(tmp_path)
    assert (one.author, one.cat, one.history) == ("author-a", "shift", ("停水",))
    assert (two.author, two.turns[1].text, two.label) == ("b", WORDS, "投诉")
    assert two.labels_after == ("叙述", "投诉")
    [only] = read_moments(tmp_path, SITUATIONS)
    assert (only.author, only.expect, only.accept) == ("b", "none", ("bad-line",))
    assert read_calls([tmp_path / "calls-b.jsonl"]) == [two]


SWITCH = {"turn": 3, "label": "投诉"}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('{"id": "c1", "turns": [{"role": "caller", "text": "' + WORDS, ["Invalid JSON", "column"]),
        ("[1]", ["object"]),
        (call(label="抱怨" + WORDS), ["label:", "'咨询'", "'综合'"]),
        (call(accept=["抱怨"]), ["accept.0:", "'咨询'"]),
        (call(intake="闲聊"), ["intake:", "'基础信息查询'"]),
        (without("start", call()), ["start:", "required"]),
        (without("intake", call()), ["intake:", "required"]),
        (without("turns", call()), ["turns:", "required"]),
        (call(id=" "), ["id: is empty"]),
        (call(turns=[]), ["turns: is empty"]),
        (call(turns=[{"role": "boss", "text": WORDS}]), ["turns.0.role:", "'agent' or 'caller'"]),
        (call(turns=[{"role": "agent", "text": WORDS}]), ["turns:", "no turn of the caller"]),
        (call(turns=[{"role": "caller", "text": " "}]), ["turns.0.text: is empty"]),
        (call(turns=[{"role": "caller", "text": 5}]), ["turns.0.text:", "string"]),
        (call(turns=[{"role": "caller", "text": WORDS * 76}]), ["turns.0.text", "608", "600"]),
        (call(history=[WORDS * 76]), ["history.0", "608 characters"]),
        (call(switch=[{"turn": 2, "label": "投诉"}]), ["switch.0.turn:", "they are 1, 3"]),
        (call(switch=[{"turn": 9, "label": "投诉"}]), ["switch.0.turn:", "they are 1, 3"]),
        (call(switch=[{"turn": 1, "label": "投诉"}]), ["switch.0.turn: must come after turn 1"]),
        (call(switch=[SWITCH, SWITCH]), ["switch.1.turn: must come after turn 3"]),
        (call(start="投诉"), ["switch.0.label:", "投诉 before it already"]),
        (call(switch=[{"turn": 3, "label": "发泄"}]), ["switch:", "发泄", "label is 投诉"]),
        (call(switch=[]), ["start:", "叙述", "label is 投诉"]),
    ],
)
def test_a_mistake_in_a_call_is_named(
    tmp_path: Path, line: dict[str, Any] | str, named: list[str]
) -> None:
    path = write(tmp_path / "calls-x.jsonl", call(id="c0"), "", line)
    with pytest.raises(DataFileError) as error:
        read_calls(tmp_path)
    say_where(str(error.value), path, named)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (without("expect", moment()), ["expect:", "required"]),
        (moment(expect="rain"), ["expect:", "bad-line, silent-caller, none"]),
        (moment(accept=["rain"]), ["accept.0:", "bad-line, silent-caller, none"]),
        (moment(turns=[]), ["turns: is empty"]),
        (moment(turns=[{"role": "caller", "text": ""}]), ["turns.0.text: is empty", "silence_s"]),
        (
            moment(turns=[{"role": "caller", "text": "", "silence_s": -1}]),
            ["turns.0.silence_s:", "between 0 and"],
        ),
    ],
)
def test_a_mistake_in_a_moment_is_named(
    tmp_path: Path, line: dict[str, Any], named: list[str]
) -> None:
    path = write(tmp_path / "moments-x.jsonl", moment(id="m0"), "", line)
    with pytest.raises(DataFileError) as error:
        read_moments(tmp_path, SITUATIONS)
    say_where(str(error.value), path, named)


def say_where(sentence: str, path: Path, named: list[str]) -> None:
    assert sentence.startswith(f"{path}, line 3")
    assert WORDS not in sentence
    assert "\n" not in sentence
    for part in named:
        assert part in sentence


def test_an_id_stands_once_in_a_file(tmp_path: Path) -> None:
    write(tmp_path / "calls-a.jsonl", call())
    write(tmp_path / "calls-b.jsonl", call())
    assert len(read_calls(tmp_path)) == 2
    write(tmp_path / "calls-b.jsonl", call(id="c0"), call(), call())
    with pytest.raises(DataFileError, match=r"calls-b\.jsonl, line 3, id: stands on line 2"):
        read_calls(tmp_path)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="holds no labelled calls"):
        read_calls(tmp_path / "nowhere")
    write(tmp_path / "calls.jsonl", "")
    with pytest.raises(DataFileError, match="holds no labelled calls"):
        read_calls(tmp_path)
    with pytest.raises(DataFileError, match=r"gone\.jsonl: cannot be read"):
        read_calls([tmp_path / "gone.jsonl"])
    (tmp_path / "calls.jsonl").write_bytes(WORDS.encode("gb18030"))
    with pytest.raises(DataFileError, match=r"calls\.jsonl: is not UTF-8"):
        read_calls(tmp_path)


def test_the_digest_tells_words_and_labels_apart() -> None:
    def of(**other: Any) -> str:
        return digest([LabelledCall.model_validate(call(**other))])

    assert len(of()) == 8
    assert of(id="c2", cat="plain") == of()
    changes: list[dict[str, Any]] = [
        {"intake": "举报"},
        {"history": ["停水"]},
        {"accept": ["发泄"]},
        {"author": "x"},
    ]
    assert len({of(), *(of(**change) for change in changes)}) == 1 + len(changes)


def test_ours_can_be_read() -> None:
    with (ROOT / "eval_data" / "situations.csv").open(encoding="utf-8") as file:
        situations = {row["id"] for row in csv.DictReader(file)}
    calls, moments = read_calls(OURS), read_moments(OURS, situations)
    assert {one.label for one in calls} == set(CALL_TYPES)
    assert min(len({one.author for one in lines}) for lines in (calls, moments)) > 1
    assert {one.expect for one in moments} == {*situations, "none"}
