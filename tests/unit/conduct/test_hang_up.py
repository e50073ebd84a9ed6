"""The agent hangs up first: three things excuse it, where they can be heard."""

from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from tests.unit.conduct.stories import (
    CLOSING,
    OPENING,
    By,
    Change,
    agent,
    alarms,
    caller,
    only,
    play,
)
from tools.scripted_calls import Line

pytestmark = pytest.mark.unit

BEGIN = agent(0.5, 4, OPENING)
ABUSE = caller(4.5, 7, "你们这帮王八蛋，有个屁用")
WARNING = agent(8, 12, "请您文明用语，如果您继续这样，我将结束本次通话")
END = agent(20, 22, CLOSING)


def raised(*lines: Line, hangup: float = 24) -> bool:
    return "agent_hung_up_first" in alarms(play(*lines, hangup=hangup, by="agent"))


def test_after_abuse_and_a_warning_the_agent_may_hang_up() -> None:
    assert not raised(BEGIN, ABUSE, WARNING, caller(13, 15, "滚"), END)


@pytest.mark.parametrize(
    "abuse", ["你个煞笔", "王八但", "你他妈的到底办不办", "滚", "草你妈", "不要脸的东西"]
)
def test_ways_to_abuse(abuse: str) -> None:
    assert not raised(BEGIN, caller(4.5, 7, abuse), WARNING, END)


@pytest.mark.parametrize(
    "warning",
    [
        "您再辱骂的话，我只能挂断电话了",
        "如果您还是这样，我们将依规终止通话",
        "请您冷静，再这样我就无法继续为您服务了",
        "您再骂人这次通话就要结束了",
    ],
)
def test_ways_to_warn(warning: str) -> None:
    assert not raised(BEGIN, ABUSE, agent(8, 12, warning), END)


@pytest.mark.parametrize(
    ("why", "lines"),
    [
        ("no abuse", [BEGIN, caller(4.5, 7), WARNING, END]),
        ("no warning", [BEGIN, ABUSE, agent(8, 12, "我理解您的心情"), END]),
        (
            "asked for civil language, not told what follows",
            [BEGIN, ABUSE, agent(8, 12, "请您文明用语，我们慢慢说"), END],
        ),
        (
            "the warning came first",
            [BEGIN, WARNING.model_copy(update={"start": 4.2, "end": 4.4}), ABUSE, END],
        ),
        ("words about rubbish", [BEGIN, caller(4.5, 7, "垃圾处理费怎么交"), WARNING, END]),
        ("asked not to hang up", [BEGIN, ABUSE, agent(8, 12, "请您先不要挂断电话"), END]),
        ("no transfer", [BEGIN, caller(4.5, 7), agent(16, 19, "这个我没法帮您转接"), END]),
        (
            "a transfer long ago",
            [BEGIN, agent(5, 7, "我为您转接"), caller(8, 40), agent(41, 44, CLOSING)],
        ),
    ],
)
def test_what_excuses_nothing(why: str, lines: list[Line]) -> None:
    assert raised(*lines, hangup=46), why


@pytest.mark.parametrize(
    "words", ["好的，我这就为您转接，请不要挂机", "正在转接人工窗口", "帮您把电话转过去"]
)
def test_a_transfer_that_was_announced(words: str) -> None:
    assert not raised(BEGIN, caller(4.5, 7), agent(18, 21, words))


def after_the_hang_up(at_ms: int) -> Change:
    """The words of one utterance come last."""

    def last(events: list[Event]) -> list[Event]:
        late = [e for e in events if isinstance(e, TranscriptFinal) and e.at_ms == at_ms]
        return [*[e for e in events if e not in late], *late]

    return last


def told(said: list[Event]) -> list[tuple[str, bool]]:
    """What was said of the hang-up, in order; for what was raised, whether it was provisional."""
    return [
        (e.event, e.provisional if isinstance(e, WarningRaised) else False)
        for e in said
        if isinstance(e, WarningRaised | WarningConfirmed | WarningWithdrawn)
        and e.warning_id.startswith("agent_hung_up_first")
    ]


def test_known_words_make_it_firm_at_once() -> None:
    said = play(BEGIN, caller(4.5, 7), END, hangup=24, by="agent")
    assert told(said) == [("warning.raised", False)]


def test_words_that_come_after_the_hang_up_take_it_back() -> None:
    late = after_the_hang_up(8_000)
    said = play(BEGIN, ABUSE, WARNING, hangup=12.2, by="agent", change=late)
    assert told(said) == [("warning.raised", True), ("warning.withdrawn", False)]
    found = only(said, "agent_hung_up_first")
    assert (found.at_ms, found.due_ms) == (12_200, 12_200)
    assert [e.warning_id for e in said if isinstance(e, WarningWithdrawn)] == [found.warning_id]


def test_words_that_come_after_the_hang_up_confirm_it() -> None:
    late = after_the_hang_up(8_000)
    last = agent(8, 12, "那您就等通知吧")
    said = play(BEGIN, caller(4.5, 7), last, hangup=12.2, by="agent", change=late)
    assert told(said) == [("warning.raised", True), ("warning.confirmed", False)]
    confirmed = next(e for e in said if isinstance(e, WarningConfirmed))
    assert confirmed.derived_from == ("c:-:12200:ended", "c:agent:8000:transcript.final")
    assert confirmed.evidence[0].words == "那您就等通知吧"


def test_words_that_never_come_leave_it_to_the_end_of_the_call() -> None:
    def never(events: list[Event]) -> list[Event]:
        return [e for e in events if not (isinstance(e, TranscriptFinal) and e.at_ms == 8_000)]

    said = play(BEGIN, caller(4.5, 7), WARNING, hangup=12.2, by="agent", change=never)
    assert told(said) == [("warning.raised", True), ("warning.confirmed", False)]


@pytest.mark.parametrize("by", ["caller", "transfer", "unknown"])
def test_nobody_else_is_charged(by: By) -> None:
    said = play(BEGIN, caller(4.5, 7), END, hangup=24, by=by)
    assert "agent_hung_up_first" not in alarms(said)
