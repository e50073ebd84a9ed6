"""The recogniser with the head that comes with Banxi, by words alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from services.call_type.situations.book import PACKAGED as TABLE
from services.call_type.situations.book import load_book
from services.call_type.situations.look import Turn
from services.call_type.situations.recogniser import PACKAGED, Recogniser
from services.common.failure import CannotStart
from tools.train.dialogues import digest, read_moments

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """As the service has it."""
    return Recogniser(load_book())


def test_the_head_is_of_the_exemplars_in_the_tree(recogniser: Recogniser) -> None:
    """Whoever changes the exemplars trains again: `banxi train situations`."""
    moments = read_moments(PACKAGED.parent / "exemplars", frozenset(load_book().by_id))
    assert recogniser.version == digest(moments)
    assert recogniser.about.figures["macro_f1"] >= 0.85
    assert recogniser.about.figures["none_false_rate"] <= 1 / 15


@pytest.mark.parametrize(
    ("role", "text", "situation"),
    [
        ("caller", "你到底叫什么名字，把名字报给我", "asks-agent-name"),
        ("caller", "我是晚报的记者，想就这件事采访你们", "media-call"),
        ("caller", "叫你们领导来听电话，你说了不算", "wants-a-leader"),
        ("caller", "你给我保证，月底之前肯定能修好", "wants-a-commitment"),
        ("caller", "把那个表传真一份到我们单位", "wants-a-fax"),
        ("agent", "不好意思，我们系统刚刚出了故障，页面打不开", "system-or-line-fault"),
    ],
)
def test_plain_moments_are_recognised(
    recogniser: Recogniser, role: str, text: str, situation: str
) -> None:
    """With the words that say so."""
    turns = [Turn("agent", "您反映的我都记下来了"), Turn(role, text)]  # type: ignore[arg-type]
    found = recogniser.recognise(turns)
    assert found.situation == situation
    assert found.words
    assert found.words in text


def test_the_same_words_on_the_other_side_are_another_thing(recogniser: Recogniser) -> None:
    """An agent who asks for the caller's name needs no card."""
    assert recogniser.recognise([Turn("agent", "请问您叫什么名字")]).situation is None


@pytest.mark.parametrize(
    "text", ["", "嗯", "嗯嗯", "好的好的", "喂", "Hello, do you speak English?", "😀😀", "بۇ نېمە"]
)
def test_what_says_nothing_is_nothing(recogniser: Recogniser, text: str) -> None:
    """No crash, no situation."""
    assert recogniser.recognise([Turn("caller", text)]).situation is None


def test_a_silence_after_the_opening_is_a_silent_caller(recogniser: Recogniser) -> None:
    """And one of a caller who looks for a paper is not."""
    opening = Turn("agent", "您好，市民热线，请讲")
    silent = [opening, Turn("caller", "", silence_s=7)]
    assert recogniser.recognise(silent).situation == "silent-caller"
    searching = [opening, Turn("caller", "你等一下我找找发票"), Turn("caller", "", silence_s=7)]
    assert recogniser.recognise(searching).situation is None


def test_a_word_a_site_adds_counts_without_training(tmp_path: Path) -> None:
    """The table's words are looked at beside what was learned."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    entry = next(one for one in table["situations"] if one["id"] == "wants-a-fax")
    turns = [Turn("caller", "能不能用图文机把表给我")]
    before = Recogniser(load_book()).recognise(turns)
    entry["signals"]["caller"].append("图文机")
    file = tmp_path / "situations.yaml"
    file.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    after = Recogniser(load_book(file)).recognise(turns)
    assert after.situation == "wants-a-fax"
    assert before.situation is None or before.confidence < after.confidence


def test_a_head_that_knows_more_than_the_table_is_refused(tmp_path: Path) -> None:
    """There would be a situation without a card."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    table["situations"] = [one for one in table["situations"] if one["id"] != "media-call"]
    file = tmp_path / "situations.yaml"
    file.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    with pytest.raises(CannotStart, match="media-call"):
        Recogniser(load_book(file))
    broken = tmp_path / "situations.npz"
    broken.write_bytes(PACKAGED.read_bytes()[:1000])
    with pytest.raises(CannotStart, match="banxi train situations"):
        Recogniser(load_book(), broken)
