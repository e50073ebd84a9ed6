"""How the caller talks: what is measured of speech events, and what little follows from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import Event, Role
from contracts.call import CallEnded
from contracts.call_type import CALL_TYPES
from contracts.speech import SpeechEnded, SpeechStarted
from services.call_type.prosody import MOST as MOST_HELD
from services.call_type.prosody import Prosody
from services.call_type.prosody_signs import FILE, MOST, PACKAGED, load_signs
from services.common.datafiles import DataFileError

pytestmark = pytest.mark.unit

HERE = {"call_id": "c1", "site": "s1"}


def began(role: Role, at_s: float) -> SpeechStarted:
    return SpeechStarted(**HERE, at_ms=int(at_s * 1000), role=role)


def spoke(role: Role, at_s: float, end_s: float, level_db: float | None = -30.0) -> SpeechEnded:
    return SpeechEnded(
        **HERE, at_ms=int(at_s * 1000), end_ms=int(end_s * 1000), role=role, level_db=level_db
    )


def after(events: Iterable[Event], prosody: Prosody | None = None) -> Prosody:
    prosody = prosody or Prosody()
    for event in events:
        prosody = prosody.after(event)
    return prosody


def values(prosody: Prosody) -> dict[str, float]:
    return {name: measure.value for name, measure in prosody.measures().items()}


START = [spoke("caller", 1, 4, -31), spoke("caller", 6, 7, -40), spoke("caller", 9, 13, -30)]


def test_louder_is_held_against_the_caller_s_own_start() -> None:
    heard = after([*START, spoke("caller", 20, 23, -22), spoke("caller", 24, 24.3, -50)])
    assert "louder_db" not in values(heard), "one utterance may be a cough, and 嗯 tells nothing"
    heard = after([spoke("caller", 30, 33, -20), spoke("agent", 34, 36, -5)], heard)
    louder = heard.measures()["louder_db"]
    assert louder.value == pytest.approx(-21 - -31)
    assert louder.span == (20_000, 33_000)
    calm = after([spoke("caller", 40 + n, 40.9 + n, -31) for n in range(0, 9, 2)], heard)
    assert values(calm)["louder_db"] == 0


def test_without_a_measured_start_or_a_recent_voice_nothing_is_louder() -> None:
    without = [spoke("caller", at, at + 3, None) for at in (1, 6, 11)]
    assert values(after([*without, spoke("caller", 20, 23, -20)])) == {}
    short = [spoke("caller", at, at + 1, -30) for at in (1, 4, 7)]
    assert "louder_db" not in values(after([*short, spoke("caller", 9, 10, -10)]))
    shouted = [spoke("caller", 20, 22, -20), spoke("caller", 24, 26, -20)]
    long_ago = [*START, *shouted, spoke("agent", 60, 95)]
    assert "louder_db" not in values(after(long_ago))


def test_speaking_over_the_agent_is_counted_by_how_often_and_how_long() -> None:
    heard = after(
        [
            spoke("agent", 10, 20),
            spoke("caller", 14, 17),  # cuts in: 3 s at once
            spoke("agent", 22, 30),
            spoke("caller", 24, 24.5),  # 嗯
            spoke("caller", 29.6, 33),  # the agent was ending
            spoke("agent", 40, 46),
            spoke("caller", 40.2, 44),  # both began at once
            spoke("caller", 50, 55),
            spoke("agent", 52, 58),  # the agent cuts in
        ]
    )
    assert values(heard)["cut_ins"] == 1
    assert values(heard)["cut_in_s"] == 3
    assert heard.measures()["cut_ins"].span == (14_000, 17_000)
    later = after([spoke("agent", 60, 80)], heard)
    assert "cut_ins" not in values(later), "14 s is more than a minute ago"


def test_an_agent_who_still_speaks_is_spoken_over_already() -> None:
    heard = after([began("agent", 10), began("caller", 13), spoke("caller", 13, 15)])
    assert values(heard)["cut_in_s"] == 2


def test_a_speech_cut_at_breaths_cuts_in_once() -> None:
    breaths = [spoke("caller", 12 + 9 * n, 20.7 + 9 * n) for n in range(4)]
    answers = [spoke("agent", 5 + 10 * n, 14.8 + 10 * n) for n in range(5)]
    heard = after([*breaths, *answers])
    assert values(heard)["cut_ins"] == 1


def test_the_share_of_talk_is_of_the_last_minute() -> None:
    heard = after([spoke("agent", 0, 30), spoke("caller", 31, 49)])
    assert values(heard)["talk_share"] == pytest.approx(18 / 48)
    heard = after([began("caller", 60), spoke("caller", 60, 85)], heard)
    # 25 s to 85 s: the agent 25 to 30, the caller 31 to 49 and 60 to 85.
    assert values(heard)["talk_share"] == pytest.approx(43 / 48)
    assert values(after([spoke("caller", 1, 15)])) == {}, "too little was said"


ROLE: st.SearchStrategy[Role] = st.sampled_from(["agent", "caller"])
TIME = st.integers(0, 300_000)
SPEECH = st.builds(
    lambda role, at, length, level: SpeechEnded(
        **HERE, at_ms=at, end_ms=at + length, role=role, level_db=level
    ),
    ROLE,
    TIME,
    st.integers(0, 30_000),
    st.none() | st.floats(-90, 0),
) | st.builds(lambda role, at: SpeechStarted(**HERE, at_ms=at, role=role), ROLE, TIME)


@given(
    st.lists(SPEECH, max_size=25, unique_by=lambda e: e.event_id).flatmap(
        lambda events: st.tuples(
            st.just(events),
            st.permutations(events),
            st.lists(st.sampled_from(events)) if events else st.just([]),
        )
    )
)
def test_order_and_repetition_do_not_matter(
    told: tuple[list[Event], list[Event], list[Event]],
) -> None:
    events, shuffled, again = told
    heard = after(events)
    otherwise = after([*shuffled, *again])
    assert (otherwise, otherwise.measures()) == (heard, heard.measures())
    for measure in heard.measures().values():
        assert math.isfinite(measure.value)
        assert 0 <= measure.span[0] <= measure.span[1]


def test_a_long_call_is_held_in_little_memory() -> None:
    heard = Prosody()
    for n in range(3000):
        heard = after(
            [spoke("caller", n * 2, n * 2 + 1.3), spoke("agent", n * 2 + 1, n * 2 + 2)], heard
        )
    assert len(heard.caller.spoken) + len(heard.agent.spoken) <= 2 * MOST_HELD
    assert len(heard.caller.spoken) < 100
    assert sum(s.end_ms - s.at_ms for s in heard.start) < 8000
    same = heard.after(CallEnded(**HERE, at_ms=9, ended_by="caller"))
    assert same is heard
    burst = after(spoke("caller", 7000 + n / 100, 7001 + n / 100) for n in range(1000))
    assert len(burst.caller.spoken) == MOST_HELD


ANGRY = [
    *START,
    *(spoke("agent", 20 + 10 * n, 28 + 10 * n, -30) for n in range(5)),
    *(spoke("caller", 22 + 10 * n, 29.9 + 10 * n, -15) for n in range(5)),
]


def test_nothing_heard_or_nothing_unusual_leans_nowhere() -> None:
    signs = load_signs()
    calm = after(
        [*START, spoke("agent", 14, 40), *(spoke("caller", s, s + 3, -45) for s in (41, 50))]
    )
    for prosody in (Prosody(), calm):
        assert signs.leanings(prosody) == {}
        assert signs.remarks(prosody) == []


def test_a_loud_caller_who_talks_over_the_agent_leans_a_little_and_says_why() -> None:
    signs = load_signs()
    angry = after(ANGRY)
    leanings = signs.leanings(angry)
    assert set(leanings) <= set(CALL_TYPES)
    assert 0.3 < leanings["发泄"] <= MOST and 0.3 < leanings["对抗"] <= MOST
    remarks = signs.remarks(angry, "对抗")
    assert [remark.text for remark in remarks] == [
        "来电人的声音比开头高了 16 分贝",
        "最近一分钟来电人在坐席说话时插话 5 次",
        "最近一分钟来电人与坐席同时说话共 30 秒",
    ]
    first = remarks[0].evidence
    assert (first.words, first.role, first.start_ms, first.end_ms) == ("", "caller", 42_000, 69_900)
    assert signs.remarks(angry, "咨询") == []


def test_louder_counts_more_the_louder_up_to_all_of_it() -> None:
    signs = load_signs()
    steps = []
    for db in range(0, 20):
        last = [spoke("caller", s, s + 2, -31 + db) for s in (20, 24)]
        steps.append(signs.leanings(after([*START, *last])).get("发泄", 0.0))
    assert steps[:5] == [0.0] * 5
    assert all(b >= a for a, b in pairwise(steps))
    assert steps[10:] == [0.2] * 10


def test_no_file_can_make_the_way_of_talking_decide(tmp_path: Path) -> None:
    packaged = (PACKAGED / FILE).read_text(encoding="utf-8")
    louder = "weights: {发泄: 0.2, 对抗: 0.2}"
    for wrong, said in (
        ("weights: {发泄: 3}", r"entry louder, weights, 发泄: .*less than or equal to 0\.5"),
        ("weights: {发泄: 0.4}", r"signs: the weights of 发泄 come to 0\.70 over all signs"),
        ("weights: {愤怒: 0.1}", r"entry louder, weights, 愤怒"),
        ("weights: {发泄: -0.1}", r"entry louder, weights, 发泄: .*greater than 0"),
        (f"{louder}\n    loudness: 3", r"entry louder, loudness: Extra"),
        ("weights: {}", r"entry louder, weights: "),
    ):
        (tmp_path / FILE).write_text(packaged.replace(louder, wrong), encoding="utf-8")
        with pytest.raises(DataFileError, match=rf"prosody\.yaml, line \d+, .*{said}"):
            load_signs(tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("all_from: 10", "all_from: 4", "entry louder: all_from must be above"),
        ("measure: cut_ins", "measure: pitch", "entry cuts-in, measure"),
        ("id: cuts-in", "id: louder", "id louder stands twice"),
        ("高了 {value} 分贝", "高了", r"entry louder, remark: must hold \{value\}"),
        ("高了 {value} 分贝", "高了 {value} {0}", "entry louder, remark"),
    ],
)
def test_a_mistake_in_the_file_is_named(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    packaged = (PACKAGED / FILE).read_text(encoding="utf-8")
    (tmp_path / FILE).write_text(packaged.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(DataFileError, match=rf"prosody\.yaml, line \d+, .*{said}"):
        load_signs(tmp_path)


def test_a_hotline_may_turn_it_off(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("version: 1\nsigns: []\n", encoding="utf-8")
    assert load_signs(tmp_path).leanings(after(ANGRY)) == {}
