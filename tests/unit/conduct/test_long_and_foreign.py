from __future__ import annotations

import pytest

from services.conduct import wording
from services.conduct.books import load_phrases
from services.conduct.handler import MAX_TEXT
from tests.unit.conduct.stories import alarms, final, handler

pytestmark = pytest.mark.unit


def test_what_is_heard_leaves_nothing_behind() -> None:
    book = load_phrases()
    known = len(wording._BITS)
    assert known
    book.hits("".join(chr(0xAC00 + n) for n in range(2000)))
    assert len(wording._BITS) == known


def test_no_more_of_a_text_is_judged_than_anybody_says() -> None:
    call = handler().open("c1", "s1")
    call, said = handler().fold(call, final("agent", 0, 9000, "嗯" * MAX_TEXT + "这我怎么知道"))
    assert alarms(said) == []
    assert len(call.agent.words[0].text) == MAX_TEXT
