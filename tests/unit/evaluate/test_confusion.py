"""Which labels are taken for which: counted, as a table, and as a picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from contracts.call_type import CALL_TYPES
from tools.evaluate.confusion import UNDECIDED, Confusion
from tools.evaluate.picture import confusion_svg

pytestmark = pytest.mark.unit

PAIRS = [
    ("投诉", "投诉"), ("投诉", "投诉"), ("投诉", "发泄"), ("投诉", None), ("咨询", "咨询"),
]  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"


def test_counts() -> None:
    found = Confusion.of(PAIRS, CALL_TYPES)
    assert found.right == ("咨询", "投诉")
    assert found.said == ("咨询", "发泄", "投诉", UNDECIDED)
    assert (found.n, found.row("投诉"), found.column("投诉")) == (5, 4, 2)
    assert (found.count("投诉", "发泄"), found.count("咨询", "发泄")) == (1, 0)
    assert found.as_json() == {
        "咨询": {"咨询": 1},
        "投诉": {"发泄": 1, "投诉": 2, UNDECIDED: 1},
    }


def test_a_table_of_all_types_fits_a_terminal() -> None:
    pairs = [(one, other) for one in CALL_TYPES for other in (*CALL_TYPES, None)]
    console = Console(width=80)
    with console.capture() as shown:
        console.print(Confusion.of(pairs, CALL_TYPES).table())
    rows = [line.split() for line in shown.get().splitlines() if line[:3].strip() in CALL_TYPES]
    assert rows[-10:] == [[one, *["1"] * 11] for one in CALL_TYPES]


def test_of_many_labels_the_commonest_mistakes_are_listed() -> None:
    labels = [f"label-{at:02}" for at in range(28)]
    pairs = [(one, one) for one in labels] + [("label-03", "label-09")] * 2 + [("label-01", None)]
    console = Console(width=80)
    with console.capture() as shown:
        console.print(Confusion.of(pairs, labels).table())
    rows = [line.replace("│", " ").split() for line in shown.get().splitlines()]
    assert ["label-03", "label-09", "2"] in rows
    assert ["label-01", UNDECIDED, "1"] in rows
    assert "label-05" not in shown.get()


def test_the_picture_holds_counts_shares_and_words_for_who_cannot_see_it() -> None:
    drawn = ET.fromstring(confusion_svg(PAIRS, CALL_TYPES, "通话类型"))
    cells = {g.findtext(f"{SVG}title"): g for g in drawn.iter(f"{SVG}g")}
    half = cells["实际投诉，判断投诉：2（50%）"]
    assert [text.text for text in half.iter(f"{SVG}text")] == ["2", "50%"]
    assert half.find(f"{SVG}rect").attrib["class"] == "cell right"  # type: ignore[union-attr]
    wrong = cells["实际投诉，判断未定：1（25%）"]
    assert wrong.find(f"{SVG}rect").attrib["class"] == "cell wrong"  # type: ignore[union-attr]
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert {"50%（4）", "100%（1）"} <= set(words)
    assert any("n = 5" in (text or "") for text in words)
    assert drawn.get("role") == "img"
    assert drawn.findtext(f"{SVG}title") == "通话类型：混淆矩阵"
    assert "投诉 4：发泄 1、投诉 2、未定 1" in (drawn.findtext(f"{SVG}desc") or "")


def test_the_picture_loads_nothing() -> None:
    drawn = confusion_svg(PAIRS, CALL_TYPES, "通话类型")
    rest = drawn.replace("http://www.w3.org/2000/svg", "")
    for sign in ("http", "url(", "@import", "@font-face", "<script", "<image", "href"):
        assert sign not in rest


@given(
    st.lists(st.tuples(st.text(max_size=5), st.none() | st.text(max_size=5)), max_size=30),
    st.text(max_size=9),
)
def test_any_labels_and_titles_are_xml(pairs: list[tuple[str, str | None]], title: str) -> None:
    ET.fromstring(confusion_svg(pairs, ("a", "b"), title))
