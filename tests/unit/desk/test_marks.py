"""Finding words in a line as people wrote or heard them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.transcript import Correction
from services.desk.call_view import Line
from services.desk.marks import Hit, find_words, marked

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("这我怎么知道，你等等吧", "这我怎么知道", "这我怎么知道"),
        ("你问我，我问谁呀", "你问我我问谁", "你问我，我问谁"),
        ("好的，那你不要再说了", "你不要再说了，听我讲", "你不要再说了"),
        ("听我讲。是这样的", "你不要再说了，听我讲", "听我讲"),
        ("没有关系", "急什么", None),
        ("", "急什么", None),
        ("急什么", "，。", None),
    ],
)
def test_words_are_found(text: str, words: str, found: str | None) -> None:
    span = find_words(text, words)
    assert (text[span[0] : span[1]] if span else None) == found


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_span_lies_in_its_text(text: str, words: str) -> None:
    span = find_words(text, words)
    assert span is None or 0 <= span[0] < span[1] <= len(text)


def test_marks_do_not_overlap_and_the_graver_wins() -> None:
    line = Line("agent", 0, 1_000, "这我怎么知道", (Correction(heard="折", made="这", start=0),))
    hit = Hit("forbidden", "agent", "这我怎么知道", 0, 1_000, "")
    assert [mark.kind for mark in marked(line, [hit]).marks] == ["forbidden"]
    assert [mark.kind for mark in marked(line, []).marks] == ["corrected"]


def test_only_lines_of_that_time_and_speaker_are_marked() -> None:
    hit = Hit("forbidden", "agent", "急什么", 5_000, 6_000, "")
    assert not marked(Line("caller", 5_000, 6_000, "急什么"), [hit]).marks
    assert not marked(Line("agent", 9_000, 9_500, "急什么"), [hit]).marks
