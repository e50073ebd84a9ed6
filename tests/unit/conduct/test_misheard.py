"""Openings, closings and thanks as a recogniser may write them, and talk without any of them."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from pathlib import Path

import pytest

from contracts.warning import WarningRaised
from services.common.datafiles import DataFileError
from services.conduct.books import DATA, load_required
from services.conduct.checklist.book import Checklist
from tests.unit.conduct.stories import OPENING, agent, caller, play

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
LOOSE = ("opening", "closing", "hold-thanks")
MISHEARD = [
    (row["sign"], row["text"])
    for row in csv.DictReader(
        Path(__file__).with_name("misheard.csv").read_text(encoding="utf-8").splitlines()
    )
]


@cache
def loose() -> Checklist:
    return load_required()


def ordinary() -> list[str]:
    """What agents say: innocent exemplars, some of each author, and the turns of whole calls."""
    said: list[str] = []
    for path in sorted((DATA / "exemplars").glob("*.csv")):
        rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        said += [row["text"] for row in rows if row["kind"] in ("plain", "near")][:30]
    calls = (ROOT / "eval_data" / "calltype.dev.jsonl").read_text(encoding="utf-8").splitlines()
    turns = [turn for call in calls for turn in json.loads(call)["turns"]]
    return said + [turn["text"] for turn in turns if turn["role"] == "agent"]


def test_nearly_all_are_found_though_misheard() -> None:
    missed = [text for sign, text in MISHEARD if sign not in loose().signs("agent", text)]
    assert len(MISHEARD) >= 60
    assert len(missed) <= 4, missed


def test_none_is_found_that_only_a_loose_ear_hears(tmp_path: Path) -> None:
    path = tmp_path / "required.yaml"
    text = (DATA / "required.yaml").read_text(encoding="utf-8")
    path.write_text(re.sub(r"\n    tolerance: .*", "", text), encoding="utf-8")
    strict = load_required(path)
    assert strict.by_id["closing"].tolerance < loose().by_id["closing"].tolerance
    said = ordinary()
    assert len(said) >= 400
    wrong = [
        text
        for text in said
        if (loose().signs("agent", text) - strict.signs("agent", text)) & set(LOOSE)
    ]
    assert wrong == []


@pytest.mark.parametrize("text", ["我再简单说一下", "您慢慢再讲", "说完您就懂了", "这路还在建设"])
def test_words_that_only_sound_like_it(text: str) -> None:
    assert not loose().signs("agent", text) & set(LOOSE)


@pytest.mark.parametrize("last", ["谢谢您的来定赛建者", "那好的再件", "嗯不客气在见"])
def test_a_closing_that_was_misheard_raises_nothing(last: str) -> None:
    said = play(
        agent(0.5, 4, OPENING), caller(4.5, 8), agent(9, 12, "带身份证就行"),
        agent(14, 16, last), hangup=17,
    )  # fmt: skip
    assert not [e for e in said if isinstance(e, WarningRaised) and e.level == "alarm"]


@pytest.mark.parametrize("tolerance", ["0.1", "0.5"])
def test_a_tolerance_beyond_its_bounds_is_refused(tmp_path: Path, tolerance: str) -> None:
    path = tmp_path / "required.yaml"
    text = (DATA / "required.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("tolerance: 0.25", f"tolerance: {tolerance}"), encoding="utf-8")
    with pytest.raises(DataFileError, match="tolerance"):
        load_required(path)
