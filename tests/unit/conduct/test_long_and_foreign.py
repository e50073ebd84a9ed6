from __future__ import annotations

import pytest

from services.common.written import read
from services.conduct.handler import MAX_TEXT
from services.conduct.phrases.hearing import KNOWN, Signs
from services.conduct.phrases.wording import parse
from tests.unit.conduct.stories import alarms, final, handler

pytestmark = pytest.mark.unit


def test_what_is_heard_is_not_kept_for_ever() -> None:
    signs = Signs([parse("这我怎么知道")])
    for first in range(0, 3 * KNOWN, 96):
        text = read("".join(chr(0xAC00 + n) for n in range(first, first + 96)))
        signs.costs(text, 0, len(text.plain))
    assert signs.kept() <= 2 * KNOWN


def test_no_more_of_a_text_is_judged_than_anybody_says() -> None:
    call = handler().open("c1", "s1")
    call, said = handler().fold(call, final("agent", 0, 9000, "嗯" * MAX_TEXT + "这我怎么知道"))
    assert alarms(said) == []
    assert len(call.agent.words[0].text) == MAX_TEXT
