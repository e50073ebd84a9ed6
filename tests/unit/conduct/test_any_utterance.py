"""Whatever is heard, in whatever script: looking for phrases never fails, nor takes for ever."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import Role
from contracts.events import read_event
from services.conduct.books import load_phrases
from services.conduct.handler import MAX_TEXT
from tests.unit.conduct.stories import final, handler

pytestmark = pytest.mark.unit

BOOK = load_phrases()
SAID = [rule.canonical for rule in BOOK.rules.values()]
ODD = [
    "😀",
    "👨‍👩‍👧",
    "\0",
    "\ud83d",
    "\\ud83d",
    "\u202e",
    "ｏｋ１２",
    "OK 12333",
    "½",
    "İ",
    "龘",
    "請",
    "\n",
    "“",
    "『",
]
PIECES = st.one_of(
    st.sampled_from(SAID), st.sampled_from(ODD), st.text(st.characters(), max_size=8)
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_any_text(text: str, previous: str) -> None:
    hits = BOOK.hits(text, previous)
    for hit in hits:
        assert hit.words
        assert hit.words in (f"{previous}，{text}" if hit.split else text)
        assert hit.start < hit.end <= 1.0
        assert hit.end > 0
        assert 0 <= hit.score <= 1
        assert BOOK.rules[hit.rule.id] is hit.rule
        assert previous.strip() or not hit.split
    assert len({hit.rule.id for hit in hits}) == len(hits), "a rule is found twice"
    assert hits == sorted(BOOK.hits(text, previous), key=lambda hit: hit.start)


@pytest.mark.parametrize(
    "piece",
    [
        "怎么知道",
        "不清楚，",
        "请您先办理挂失，我怎么知道，这个不归我管，也可以到网点办理",
        "a1",
        "😀",
        "龘鿋㐀",
        "“您说",
    ],
)
def test_time_grows_with_the_length(piece: str) -> None:
    short, long = (_seconds((piece * size)[:size]) for size in (200, 2_000))
    # Ten times the text; twice the square root of a hundred leaves room for a busy machine.
    assert long < 30 * short + 0.05


def _seconds(text: str) -> float:
    """What deciding takes of the processor, at best."""
    taken = []
    for _ in range(3):
        begin = time.thread_time()
        BOOK.hits(text)
        taken.append(time.thread_time() - begin)
    return min(taken)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("你煩不煩", "arent-you-annoying"),
        ("請誠實回答", "answer-honestly"),
        ("這我怎麼知道", "how-would-i-know"),
        ("這個不歸我管", "not-my-job"),
        ("这我怎么知道，ＯＫ１２３", "how-would-i-know"),
        ("OK这我怎么知道12333", "how-would-i-know"),
        ("😀这我😀怎么知道😀", "how-would-i-know"),
    ],
)
def test_other_scripts(text: str, rule: str) -> None:
    (hit,) = BOOK.hits(text)
    assert hit.rule.id == rule
    assert hit.words in text


@pytest.mark.parametrize(
    "text",
    ["單位人事跟您說別再來電話了，是這樣嗎", "我不會說這不可能的，您放心", "請問您聽明白了嗎"],
)
def test_the_context_decides_in_traditional_characters_too(text: str) -> None:
    assert BOOK.hits(text) == []


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["agent", "agent", "caller"]),
            st.integers(0, 20_000),
            st.integers(0, 20_000),
            st.one_of(TEXTS.filter(lambda text: text.isprintable()), st.just("这我怎么知道" * 20)),
        ),
        max_size=6,
    )
)
def test_finals_that_overlap_and_run_backwards(
    heard: list[tuple[Role, int, int, str]],
) -> None:
    told = []
    for _ in range(2):
        call, said = handler().open("c", "s"), []
        for role, start, end, text in heard:
            call, events = handler().fold(call, final(role, start, end, text))
            said += events
        told.append([event.model_dump_json() for event in said])
        for event in said:
            assert read_event(event.event, event.model_dump_json().encode()) == event
        assert all(len(w.text) <= MAX_TEXT for c in (call.agent, call.caller) for w in c.words)
    assert told[0] == told[1]
