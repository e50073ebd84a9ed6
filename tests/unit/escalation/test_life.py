from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationTakenOver,
)
from services.escalation import life
from services.escalation.life import Board, Conflict, EscalationEvent, Life, step
from tests.unit.escalation.scripts import BY, CALL

pytestmark = pytest.mark.unit

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def raised(rise: int = 0, wall_time: datetime = NOON, id_: str = "e") -> EscalationRaised:
    return EscalationRaised(
        **CALL,
        at_ms=7000,
        wall_time=wall_time,
        by=BY,
        escalation_id=id_,
        severity="urgent",
        title="让对方等待 34 秒",
        reason="…",
        agent_id="015",
        rise=rise,
    )


def lived(*events: EscalationEvent) -> Life:
    found = life.unfold(events).get("e")
    assert found
    return found


def test_the_way_from_raised_to_closed() -> None:
    one = lived(raised())
    seen = life.acknowledge(one, "ban")
    assert isinstance(seen, EscalationAcknowledged) and seen.at_ms == 7000
    assert lived(raised(), seen).state == "acknowledged"
    taken = life.take_over(lived(raised(), seen), "li")
    assert isinstance(taken, EscalationTakenOver)
    end = life.close(lived(raised(), seen, taken), "li", "real")
    assert (end.supervisor, end.verdict) == ("li", "real")
    assert lived(raised(), seen, taken, end).state == "closed"


def test_an_older_rise_that_comes_late_changes_nothing() -> None:
    assert lived(raised(), raised(2), raised(1)).raised.rise == 2


def test_doing_it_twice_is_harmless_and_the_ids_are_the_same() -> None:
    seen = life.acknowledge(lived(raised()), "ban")
    assert seen
    assert life.acknowledge(lived(raised(), seen), "li") is None
    taken = life.take_over(lived(raised()), "ban")
    assert taken
    assert life.take_over(lived(raised(), taken), "ban") is None
    assert life.acknowledge(lived(raised(), taken), "li") is None
    other = life.acknowledge(lived(raised(1)), "li")
    assert other and other.event_id == seen.event_id


def test_what_does_not_fit_is_a_conflict() -> None:
    taken = life.take_over(lived(raised()), "ban")
    assert taken
    with pytest.raises(Conflict, match="another supervisor"):
        life.take_over(lived(raised(), taken), "li")
    shut = lived(raised(), life.close(lived(raised()), "ban", "false"))
    for ask in (
        lambda: life.acknowledge(shut, "li"),
        lambda: life.take_over(shut, "li"),
        lambda: life.close(shut, "li", "real"),
    ):
        with pytest.raises(Conflict, match="closed already"):
            ask()


def test_what_nobody_acknowledges_rises_a_few_times() -> None:
    board = Board(MINUTE, rise_times=3)
    board.learn(raised())
    assert board.due(NOON + timedelta(seconds=59)) == ()
    now = NOON
    rises = []
    for _ in range(6):
        now += MINUTE
        for due in board.due(now):
            again = life.risen(due)
            rises.append(again.rise)
            assert again.event_id != due.raised.event_id
            board.learn(again.model_copy(update={"wall_time": now}))
    assert rises == [1, 2, 3]
    assert (board.open, board.unacknowledged) == (1, 1)


def test_an_acknowledged_or_closed_one_does_not_rise() -> None:
    board = Board(MINUTE, rise_times=3)
    board.learn(raised())
    seen = life.acknowledge(lived(raised()), "ban")
    assert seen
    board.learn(seen)
    assert (board.open, board.unacknowledged) == (1, 0)
    assert board.due(NOON + timedelta(days=1)) == ()
    board.learn(life.close(lived(raised()), "ban", "real"))
    assert board.open == 0


ANY = st.one_of(
    st.builds(
        raised,
        st.integers(0, 4),
        st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1))
        | st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),
        st.sampled_from("ef"),
    ),
    *(
        st.builds(
            model,
            call_id=st.just("c1"),
            site=st.just("s1"),
            at_ms=st.integers(0, 10),
            escalation_id=st.sampled_from("ef"),
            supervisor=st.sampled_from(["a", "b"]),
            **more,
        )
        for model, more in (
            (EscalationAcknowledged, {}),
            (EscalationTakenOver, {}),
            (EscalationClosed, {"verdict": st.sampled_from(["real", "false"])}),
        )
    ),
)


@given(st.lists(ANY, max_size=20))
def test_any_order_of_events_is_taken(events: Sequence[EscalationEvent]) -> None:
    board = Board(MINUTE, rise_times=3)
    found: Life | None = None
    for event in events:
        board.learn(event)
        board.due(NOON)
        was = found.state if found else None
        found = step(found, event)
        assert was != "closed" or (found and found.state == "closed")
    if not any(isinstance(event, EscalationRaised) for event in events):
        assert board.open == 0 and found is None
