"""A call so far: turns put together from finals, and the numbers its manner is told by."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from contracts.base import Role
from contracts.call_type import CALL_TYPES
from services.call_type.tables import load_tables
from services.call_type.types.dialogue import KEPT, KEPT_FINALS, Dialogue, Grams, Said, pooled
from services.call_type.types.ear import LONGEST, Ear
from services.call_type.types.look import FADE, GRAM_PLACES, MANNER, VECTOR_PLACES, look
from services.call_type.types.signals import SATURATED, Found, SignalWords, sums
from services.common.written import read
from tests.unit.call_type.scripted import vector

pytestmark = pytest.mark.unit

EAR = Ear(SignalWords(load_tables()))
Line = tuple[Role, float, float, str]
"""Who, from, to (seconds), what."""


def said(line: Line, *, seen: bool = False) -> Said:
    role, start_s, end_s, text = line
    span = (int(start_s * 1000), int(end_s * 1000))
    seen_as = vector(text) if seen else None
    return EAR.hear(f"{role} {span[0]}", role, span, text, seen_as)


def dialogue(*lines: Line, matters: Sequence[str] = (), seen: bool = False) -> Dialogue:
    now = Dialogue(matters=tuple(map(EAR.matter, matters)))
    for line in lines:
        now = now.after(said(line, seen=seen))
    return now


def turns(now: Dialogue) -> list[tuple[Role, str]]:
    return [(turn.role, turn.text) for turn in now.turns]


def manner(now: Dialogue) -> dict[str, float]:
    return dict(zip(MANNER, map(float, look(now).manner), strict=True))


STORY: tuple[Line, ...] = (
    ("agent", 0, 2, "您好请讲"),
    ("caller", 3, 5, "我家的水"),
    ("caller", 6, 8, "停了三天"),
    ("caller", 11, 13, "一直没有人来"),
    ("agent", 14, 16, "我记一下"),
    ("agent", 17, 18, "地址是"),
    ("caller", 19, 21, "东街八号"),
)
TURNS = [
    ("agent", "您好请讲"),
    ("caller", "我家的水，停了三天"),
    ("caller", "一直没有人来"),
    ("agent", "我记一下，地址是"),
    ("caller", "东街八号"),
]


def test_finals_within_a_breath_are_one_turn() -> None:
    now = dialogue(*STORY)
    assert turns(now) == TURNS
    assert now.caller_turns == 3
    first = now.of("caller")[0]
    assert (first.at_ms, first.end_ms) == (3000, 8000)
    assert first.grams.pairs == read_pairs("我家的水") | read_pairs("停了三天")


def read_pairs(text: str) -> frozenset[str]:
    return Grams.of(read(text)).pairs


def test_finals_stand_where_they_were_spoken_in_whatever_order_they_come() -> None:
    dice = random.Random(3)
    for _ in range(30):
        now = dialogue(*dice.sample(STORY, len(STORY)))
        assert (turns(now), now.caller_turns) == (TURNS, 3)


def test_a_late_word_of_the_agent_parts_what_the_caller_said() -> None:
    now = dialogue(STORY[1], STORY[2])
    assert now.caller_turns == 1
    now = now.after(said(("agent", 5.2, 5.8, "哪里的")))
    assert [role for role, _ in turns(now)] == ["caller", "agent", "caller"]
    assert now.caller_turns == 2


def test_a_long_call_stays_small() -> None:
    """300 turns, and 300 finals of one breath; what is older than all that is kept is passed
    over, or it would count again."""
    lines: list[Line] = [
        ("agent" if n % 2 else "caller", 4 * n, 4 * n + 2, f"这是第{n}句话") for n in range(300)
    ]
    long = dialogue(*lines)
    assert (len(long.turns), long.caller_turns) == (KEPT, 150)
    assert long.turns[-1].text == "这是第299句话"
    assert long.knows("caller 0", 0), "dropped long ago"
    assert not long.knows("new", 2_000_000)
    breath = dialogue(*(("caller", n, n + 0.9, f"说到{n}") for n in range(300)))
    assert (len(breath.turns), breath.caller_turns) == (1, 1)
    assert len(breath.turns[0].said) == KEPT_FINALS
    assert breath.knows("caller 1000", 1000)


def test_vectors_are_pooled_by_length_and_what_has_none_is_left_out() -> None:
    one, two = (np.eye(2, dtype=np.float32)[at] for at in (0, 1))
    assert pooled([None, one], [5.0, 2.0]) is not None
    assert pooled([None], [5.0]) is None
    assert pooled([one], [0.0]) is None
    mean = pooled([one, two, None], [3.0, 1.0, 9.0])
    assert mean is not None
    assert np.allclose(mean, [0.75, 0.25])


@pytest.mark.parametrize(
    "text",
    ["", "嗯", "嗯嗯，好的", "对的对的，行", "喂", "OK thank you very much", "😂👍", "……？！",
     "спасибо большое", "すみません", "水"],
)  # fmt: skip
def test_what_says_nothing_of_the_call(text: str) -> None:
    assert not EAR.hear("1", "caller", (0, 1), text).says_something


@pytest.mark.parametrize("text", ["好的我要投诉", "停水了", "嗯那个材料", "app打不开怎么办"])
def test_what_says_something(text: str) -> None:
    assert EAR.hear("1", "caller", (0, 1), text).says_something


def test_the_ear_hears_signal_words_and_questions_of_the_caller_alone() -> None:
    """Through punctuation and alike characters; as they were heard."""
    text = "我要，投诉他！请问您怎么处理"
    caller, agent = (said((role, 0, 1, text)) for role in ("caller", "agent"))
    assert ("投诉", "我要，投诉") in {(hit.label, hit.words) for hit in caller.found}
    assert caller.asks
    assert (agent.found, agent.asks) == ((), False)
    assert agent.grams.every == caller.grams.every
    assert not said(("caller", 0, 1, "我要，回家")).asks


def test_an_endless_final_is_cut() -> None:
    assert len(said(("caller", 0, 1, "说" * 5000)).text) == LONGEST
    backwards = EAR.hear("e", "caller", (900, 100), "时间反了", None)
    assert (backwards.at_ms, backwards.end_ms) == (900, 900)


def test_words_of_the_tables_count_once_and_saturate() -> None:
    at = CALL_TYPES.index("投诉")
    hits = [Found("type", "投诉", 2.0, "要个说法")] * 2
    assert sums(hits, "type")[at] == sums(hits[:1], "type")[at]
    many = [Found("type", "投诉", 2.0, f"词{n}") for n in range(50)]
    assert sums(hits[:1], "type")[at] < sums(many, "type")[at] <= SATURATED
    assert not sums(hits, "intake").any(), "投诉 is an intake kind too"


def test_what_there_is_to_see_by_place() -> None:
    now = dialogue(
        ("caller", 0, 1, "梅一二三"), ("agent", 5, 6, "松四五六七"), ("caller", 9, 10, "兰八九"),
        seen=True,
    )  # fmt: skip
    view = look(now)
    assert tuple(view.grams) == GRAM_PLACES
    assert tuple(view.vectors) == VECTOR_PLACES
    last = now.turns[-1].grams
    assert view.grams["last"] == last.every
    assert view.grams["caller"] == last.short | now.turns[0].grams.short
    assert view.grams["agent"] == now.turns[1].grams.short
    first, answer, second = (turn.vector for turn in now.turns)
    assert first is not None
    assert second is not None
    assert np.array_equal(view.vectors["last"], second)  # type: ignore[arg-type]
    assert np.array_equal(view.vectors["answer"], answer)  # type: ignore[arg-type]
    caller, recent = view.vectors["caller"], view.vectors["recent"]
    assert caller is not None
    assert recent is not None
    assert np.allclose(caller, (4 * first + 3 * second) / 7, atol=1e-6)
    assert np.allclose(recent, (4 * FADE * first + 3 * second) / (4 * FADE + 3), atol=1e-6)
    alone = look(dialogue(("caller", 0, 1, "一个人说话")))
    assert alone.grams["agent"] == frozenset()
    assert set(alone.vectors.values()) == {None}


def test_the_manner_moves_as_it_should() -> None:
    """Questions, the same matter again (by words and by meaning), earlier calls, who talks."""
    asks, tells = "请问这个补贴怎么申请呢", "昨天下午水管又漏了"
    asked = manner(dialogue(("caller", 0, 2, tells), ("caller", 9, 11, asks)))
    told = manner(dialogue(("caller", 0, 2, asks), ("caller", 9, 11, tells)))
    assert (asked["asks"], told["asks"]) == (1, 0)
    assert asked["asks_share"] == told["asks_share"] == 0.5
    assert asked["last_咨询"] > told["last_咨询"] == 0
    assert asked["all_咨询"] == told["all_咨询"]
    assert asked["turns"] == pytest.approx(np.log(3))
    assert asked["answered"] == 0

    again = manner(dialogue(("caller", 0, 2, asks), ("caller", 9, 11, asks + "啊"), seen=True))
    other = manner(dialogue(("caller", 0, 2, asks), ("caller", 9, 11, tells), seen=True))
    assert again["again_words"] == 1
    assert other["again_words"] < 0.2
    assert again["again_meaning"] == pytest.approx(1)
    assert manner(dialogue(("caller", 0, 2, asks), ("caller", 9, 11, asks)))["again_meaning"] == 0

    known = manner(dialogue(("caller", 0, 2, asks), matters=[asks, tells]))
    new = manner(dialogue(("caller", 0, 2, asks), matters=[tells]))
    never = manner(dialogue(("caller", 0, 2, asks)))
    assert (known["history"], new["history"], never["history"]) == (1, 0.5, 0)
    assert known["history_words"] == 1
    assert new["history_words"] < 0.2
    assert never["history_words"] == 0

    answered = manner(dialogue(("agent", 0, 2, asks), ("caller", 3, 5, asks)))
    assert (answered["agent_share"], answered["answered"]) == (0.5, 1)
    assert never["agent_share"] == 0
