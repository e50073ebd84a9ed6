from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import Event
from contracts.escalation import EscalationClosed, EscalationRaised
from services.escalation.policy import follow
from services.escalation.view import CallView
from tests.unit.escalation.scripts import (
    CALL,
    POLICY,
    assessed,
    closed,
    confirmed,
    run,
    says,
    started,
    titles,
    turned,
    warning,
    withdrawn,
)

pytestmark = pytest.mark.unit


def test_a_hold_beyond_the_limit_reaches_a_supervisor() -> None:
    hold = warning("h", "hold_over_30s", 28_000, lasts_ms=34_200)
    (raised,) = run(started(), hold)
    assert isinstance(raised, EscalationRaised)
    assert (raised.title, raised.severity) == ("让对方等待 34 秒", "urgent")
    assert (raised.agent_id, raised.at_ms, raised.rise) == ("015", 62_200, 0)
    assert raised.derived_from == (hold.event_id,)
    assert raised.by.name == "hold-over-30s" and raised.by.version.startswith("1+")
    assert (raised.evidence[0].start_ms, raised.evidence[0].end_ms) == (28_000, 62_200)


def test_forbidden_phrases_count_and_count_again() -> None:
    heard = [
        warning(f"f{n}", "forbidden_phrase", n * 1000, words=w)
        for n, w in enumerate(("这我怎么知道", "知道了吗", "急什么", "我不知道"))
    ]
    assert titles(run(heard[0])) == []
    first, second = run(*heard)
    assert isinstance(first, EscalationRaised) and isinstance(second, EscalationRaised)
    assert (first.title, second.title) == ("禁用语两次", "禁用语四次")
    assert first.reason == "听到“这我怎么知道”“知道了吗”"
    assert second.derived_from == (heard[2].event_id, heard[3].event_id)
    assert first.escalation_id != second.escalation_id


def test_reminders_do_not_count() -> None:
    quiet = [warning(f"s{n}", "silence", n, level="remind") for n in range(5)]
    assert run(*quiet) == []


def test_a_row_is_broken_by_a_warning_of_another_kind() -> None:
    cuts = [warning(f"i{n}", "interruption", n * 1000) for n in range(4)]
    other = warning("f", "forbidden_phrase", 1500)
    assert titles(run(*cuts[:3])) == ["抢话三次"]
    assert titles(run(*cuts[:2], other, cuts[2])) == []
    assert titles(run(cuts[0], other, *cuts[1:])) == ["抢话三次"]


def test_the_same_warning_counts_once() -> None:
    once = warning("f", "forbidden_phrase")
    assert run(once, once, once) == []


def test_a_provisional_warning_waits_for_its_confirmation() -> None:
    cuts = [warning(f"i{n}", "interruption", n * 1000, provisional=True) for n in range(3)]
    assert run(*cuts, confirmed("i0"), confirmed("i1"), withdrawn("i2")) == []
    said = run(*cuts, confirmed("i0"), confirmed("i1"), confirmed("i2"))
    assert titles(said) == ["抢话三次"]
    assert isinstance(said[0], EscalationRaised)
    assert confirmed("i2").event_id in said[0].derived_from


def test_what_rests_on_a_withdrawn_warning_is_closed_as_false() -> None:
    hold = warning("h", "hold_over_30s")
    said = run(hold, withdrawn("h"), withdrawn("h"))
    assert closed(said) == [("hold-over-30s.1", "system", "false")]
    phrases = [warning(f"f{n}", "forbidden_phrase", n) for n in range(3)]
    said = run(*phrases[:2], withdrawn("f0"), phrases[2])
    assert closed(said) == [("forbidden-phrases.1", "system", "false")]
    # What is left counts on, under an escalation of its own.
    raised = [e for e in said if isinstance(e, EscalationRaised)]
    assert [e.escalation_id for e in raised] == ["forbidden-phrases.1", "forbidden-phrases.2"]


def test_another_warning_may_carry_what_lost_one() -> None:
    phrases = [warning(f"f{n}", "forbidden_phrase", n) for n in range(3)]
    said = run(*phrases, withdrawn("f0"))
    assert closed(said) == []
    assert len(closed(run(*phrases, withdrawn("f0"), withdrawn("f1")))) == 1


def test_what_a_supervisor_closed_stays_as_it_is() -> None:
    hold = warning("h", "hold_over_30s")
    (raised,) = run(hold)
    assert isinstance(raised, EscalationRaised)
    by_hand = EscalationClosed(
        **CALL,
        at_ms=raised.at_ms,
        escalation_id=raised.escalation_id,
        supervisor="ban",
        verdict="real",
    )
    assert run(hold, by_hand, withdrawn("h")) == [raised]


def test_call_types_need_confidence_and_are_raised_once() -> None:
    assert titles(run(assessed("对抗", 0.4), assessed(None, 0))) == []
    said = run(
        assessed("对抗", 0.8, 1000), assessed("咨询", 0.9, 2000), assessed("对抗", 0.9, 3000)
    )
    assert titles(said) == ["来电人言辞激烈"]
    assert isinstance(said[0], EscalationRaised)
    assert said[0].reason == "通话类型为对抗，把握 80%"
    assert titles(run(assessed("哭诉", 0.7))) == ["来电人哭诉，需要关注"]


def test_a_turn_counts_only_where_the_caller_really_turned() -> None:
    corrected = [assessed("发泄", 0.7), assessed("投诉", 0.9, 2000)]
    assert titles(run(*corrected)) == []
    turn = turned("发泄", "投诉", 0.7, 2000)
    (raised,) = run(*corrected, turn, turned("咨询", "投诉", 0.9, 9000))
    assert isinstance(raised, EscalationRaised)
    assert (raised.title, raised.severity, raised.at_ms) == ("来电转为投诉", "notice", 2000)
    assert raised.derived_from == (turn.event_id,)
    assert titles(run(turned("发泄", "投诉", 0.3))) == []
    assert titles(run(turned("求助", "发泄", 0.7))) == ["来电人情绪转坏"]


def test_hostility_is_said_once_whether_turned_to_or_not() -> None:
    events = [assessed("对抗", 0.8), turned("发泄", "对抗", 0.8), assessed("对抗", 0.9, 5000)]
    assert titles(run(*events)) == ["来电人言辞激烈"]


def test_pestering_is_said_when_it_lasts() -> None:
    talk = [says("你就给个准话", at_ms) for at_ms in range(20_000, 300_000, 20_000)]
    again = assessed("纠缠", 0.8, 100_000)
    (raised,) = run(assessed("纠缠", 0.7, 10_000), *talk[:4], again, *talk[4:])
    assert isinstance(raised, EscalationRaised)
    assert (raised.title, raised.severity, raised.at_ms) == ("来电人反复纠缠", "notice", 140_000)
    assert raised.derived_from == (again.event_id, says("你就给个准话", 140_000).event_id)
    assert run(assessed("纠缠", 0.7, 10_000), assessed("咨询", 0.7, 90_000), *talk) == []
    assert run(assessed("纠缠", 0.5, 10_000), *talk) == []


def test_a_sign_is_shown_quieter_and_the_words_after_it_still_count() -> None:
    said = run(says("我真的撑不下去了"), says("撑不下去了", 5000), says("我想自杀", 9000))
    assert titles(said) == ["留意：扬言轻生", "红线：扬言轻生"]
    assert [e.severity for e in said if isinstance(e, EscalationRaised)] == ["urgent", "red_line"]
    assert titles(run(says("我想自杀"), says("我撑不下去了", 9000))) == ["红线：扬言轻生"]


def test_red_lines_are_found_in_the_callers_words_once_a_call() -> None:
    said = run(started(), says("我真的不想活了"), says("我要跳楼", 9000))
    (raised,) = said
    assert isinstance(raised, EscalationRaised)
    assert (raised.title, raised.severity) == ("红线：扬言轻生", "red_line")
    assert raised.evidence[0].words == "不想活了"
    assert (raised.evidence[0].role, raised.evidence[0].end_ms) == ("caller", 3000)
    assert raised.derived_from == (says("我真的不想活了").event_id,)
    assert run(says("我真的不想活了", role="agent")) == []


def test_words_cut_at_a_short_pause_are_read_together() -> None:
    first = says("我跟你说我不想", 1000, 2000)
    (raised,) = run(first, says("活了，真的", 3200))
    assert isinstance(raised, EscalationRaised)
    assert raised.derived_from == (first.event_id, says("活了，真的", 3200).event_id)
    assert raised.evidence[0].start_ms == 1000
    assert run(first, says("活了，真的", 5000)) == []


KINDS = st.sampled_from(["forbidden_phrase", "interruption", "hold_over_30s", "silence"])
IDS = st.sampled_from([f"w{n}" for n in range(5)])
EVENTS = st.one_of(
    st.just(started()),
    st.builds(
        warning,
        IDS,
        KINDS,
        st.integers(0, 9000),
        level=st.sampled_from(["remind", "alarm"]),
        provisional=st.booleans(),
    ),
    st.builds(confirmed, IDS),
    st.builds(withdrawn, IDS),
    st.builds(assessed, st.sampled_from([None, "对抗", "纠缠", "咨询"]), st.floats(0, 1)),
    st.builds(turned, st.just("咨询"), st.sampled_from(["发泄", "投诉"]), st.floats(0, 1)),
    st.builds(says, st.text(max_size=30) | st.just("我不想活了"), st.integers(0, 9000)),
    st.builds(
        EscalationClosed,
        call_id=st.just("c1"),
        site=st.just("s1"),
        at_ms=st.integers(0, 9000),
        escalation_id=st.sampled_from(["hold-over-30s.1", "forbidden-phrases.1", "nothing"]),
        supervisor=st.just("ban"),
        verdict=st.sampled_from(["real", "false"]),
    ),
)


@given(st.lists(EVENTS, max_size=30))
def test_any_order_of_events_is_followed_and_nothing_is_said_twice(events: list[Event]) -> None:
    view = CallView("c1", "s1")
    said: list[Event] = []
    for event in events:
        view, made = follow(view, event, POLICY)
        said.extend(made)
    ids = [event.event_id for event in said]
    assert len(ids) == len(set(ids))
    raised = [e.escalation_id for e in said if isinstance(e, EscalationRaised)]
    assert len(raised) == len(set(raised))
    assert {id_ for id_, _, _ in closed(said)} <= set(raised)
