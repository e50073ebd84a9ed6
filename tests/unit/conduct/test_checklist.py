"""The checklist: ticks fall due, are ticked off, and only what was really missed is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import Event
from contracts.call import CallEnded, CallProgressed
from contracts.phrase import PhraseDue, PhraseSaid
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningRaised
from services.common.calls import CallSettled, Happening
from services.common.datafiles import DataFileError
from services.conduct.books import DATA, load_required
from tests.unit.conduct.stories import CLOSING, OPENING, By, agent, caller, fold, play
from tools.recordings import Hangup
from tools.scripted_calls import Line, Script, timeline

pytestmark = pytest.mark.unit

ASK_NAME = [agent(9, 10.5, "请问您贵姓"), caller(11, 12, "我姓林")]
EXPLAIN = (
    "林女士，先在网上预约，然后带上身份证和银行卡原件到就近的网点，填好申请表以后，当场就可以办完"
)
RESTATE = agent(13, 15, "您是想问公积金提取的手续，对吗")
ENDING = [
    agent(32, 35, "请问我刚才的解释您是否清楚"),
    caller(36, 37, "嗯清楚的"),
    agent(38, 40, "还有别的事要咨询吗"),
    caller(40.5, 41.5, "没有别的事了"),
    agent(42, 45, CLOSING),
]
GOOD = [
    agent(0.5, 4, OPENING), caller(4.5, 8), *ASK_NAME, RESTATE, caller(16, 17, "对的"),
    agent(18, 28, EXPLAIN), caller(29, 31, "哦这样子的啊"), *ENDING,
]  # fmt: skip


def missed(said: list[Event]) -> dict[str, str]:
    """Phrases that were missed, with the level of the warning."""
    return {
        e.by.name: e.level
        for e in said
        if isinstance(e, WarningRaised) and e.kind == "missing_phrase"
    }


def due(said: list[Event], phrase: str) -> list[int]:
    return [e.at_ms for e in said if isinstance(e, PhraseDue) and e.phrase == phrase]


def ticked(said: list[Event]) -> list[str]:
    return [e.phrase for e in said if isinstance(e, PhraseSaid)]


def without(lines: list[Line], *texts: str) -> list[Line]:
    return [line for line in lines if not any(text in line.text for text in texts)]


def test_a_good_call_ticks_everything_off_and_misses_nothing() -> None:
    said = play(*GOOD, hangup=46)
    assert missed(said) == {}
    assert ticked(said) == [
        "opening", "name", "restated", "name-used", "understanding", "anything-else", "closing",
        "polite",
    ]  # fmt: skip
    assert due(said, "opening") == due(said, "polite") == [0]
    assert due(said, "name") == due(said, "restated") == [8_000]
    assert due(said, "name-used") == [12_000]
    assert due(said, "understanding") == [28_000]
    assert due(said, "anything-else") == [35_000]
    assert due(said, "closing") == [40_000]


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        (["贵姓", "姓林", "林女士"], {"name": "note"}),
        (["对吗"], {"restated": "note"}),
        (["是否清楚", "嗯清楚"], {"understanding": "remind"}),
        (["别的事"], {"anything-else": "note"}),
    ],
)
def test_what_is_left_out_is_missed(left_out: list[str], expected: dict[str, str]) -> None:
    lines = without(GOOD, *left_out)
    if "林女士" in left_out:
        lines.append(agent(18, 28, EXPLAIN.removeprefix("林女士，")))
    if "别的事" in left_out:
        lines.append(caller(38, 39, "好的谢谢你"))
    assert missed(play(*lines, hangup=46)) == expected


def test_a_miss_names_its_evidence_and_its_cause() -> None:
    said = play(*without(GOOD, "是否清楚", "嗯清楚"), hangup=46)
    miss = next(e for e in said if isinstance(e, WarningRaised) and e.kind == "missing_phrase")
    assert (miss.at_ms, miss.end_ms, miss.due_ms) == (28_000, 45_000, 45_000)
    assert miss.phrase == "确认听懂"
    assert miss.evidence[0].words == EXPLAIN
    assert miss.derived_from == ("c:agent:18000:transcript.final", "c:agent:42000:transcript.final")
    assert miss.instead
    assert miss.by.source == "E32"


@pytest.mark.parametrize("used", ["林女士", "临女士", "林女是", "凌先生"])
def test_the_name_is_used_as_it_sounds(used: str) -> None:
    lines = [*without(GOOD, "林女士"), agent(18, 28, EXPLAIN.replace("林女士", used))]
    assert missed(play(*lines, hangup=46)) == {}


@pytest.mark.parametrize("other", ["张女士", "这位女士", ""])
def test_another_name_is_not_the_callers(other: str) -> None:
    lines = [*without(GOOD, "林女士"), agent(18, 28, EXPLAIN.replace("林女士，", other))]
    assert missed(play(*lines, hangup=46)) == {"name-used": "note"}


TRANSFER = [
    agent(0.5, 4, OPENING), caller(4.5, 8), agent(9, 11, "您是要问公积金提取对吗"),
    caller(12, 13, "对就是这个"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("这个由公积金中心负责，我为您转接过去，您看可以吗", set()),
        ("这个由公积金中心负责，我给您转过去", {"transfer-consent"}),
        ("这个由公积金中心来解答，我为您转接过去，可以吗", set()),
        ("我帮您转接过去，可以吗", {"transfer-reason"}),
        ("我给您转接", {"transfer-reason", "transfer-consent"}),
        ("这边没办法帮您转接", set()),
        ("我帮您转给街道办理", set()),
    ],
)
def test_a_transfer_wants_a_reason_and_consent(words: str, expected: set[str]) -> None:
    explain = agent(
        14,
        24,
        "关于这件事情，我先跟您说明一下需要准备的东西，身份证和银行卡都请您准备好，另外还有申请表一张",
    )
    lines = [*TRANSFER, explain, agent(24.5, 28, words), caller(29, 31, "好吧那你转吧")]
    said = missed(play(*lines, hangup=33, by="transfer"))
    assert {name for name in said if name.startswith("transfer")} == expected


def test_consent_asked_in_the_next_turn_is_no_miss() -> None:
    lines = [
        *TRANSFER, agent(14, 18, "这个由公积金中心负责，我给您转接过去"),
        caller(19, 21, "你说转到哪里去"),
        agent(22, 25, "转到公积金中心，您同意吗"), caller(26, 28, "可以可以那就转吧"),
        agent(29, 31, "好的请不要挂机"), caller(32, 34, "好的好的谢谢"),
    ]  # fmt: skip
    assert "transfer-consent" not in missed(play(*lines, hangup=36, by="transfer"))


BLAME = [
    agent(0.5, 4, OPENING), caller(4.5, 9, "你们电话怎么一直打不通，我打了好几次都没人接"),
    agent(10, 12, "请问您要咨询什么"), caller(13, 16, "我想问公积金怎么提取"),
    agent(17, 19, "您是想问提取的手续"), caller(20, 22, "对的要什么材料"),
    agent(23, 25, "带身份证和银行卡"), caller(26, 28, "还要别的东西吗"),
    agent(29, 31, CLOSING),
]  # fmt: skip


def test_an_apology_falls_due_when_we_are_blamed() -> None:
    said = play(*BLAME, hangup=33)
    assert due(said, "apology") == [9_000]
    assert missed(said)["apology"] == "remind"
    miss = next(e for e in said if isinstance(e, WarningRaised) and e.by.name == "apology")
    assert miss.end_ms == 20_000
    sorry = [agent(10, 12, "很抱歉让您久等了，您请讲") if x.start == 10 else x for x in BLAME]
    assert "apology" not in missed(play(*sorry, hangup=33))


def test_a_caller_in_vain_at_others_does_not_blame_us() -> None:
    told = caller(4.5, 9, "电梯坏了，我打了好几次电话物业都说在等配件")
    said = play(*[told if x.start == 4.5 else x for x in BLAME], hangup=33)
    assert due(said, "apology") == []


@pytest.mark.parametrize("words", ["不好意思，系统现在出了点故障", "系统出了故障，请您谅解"])
def test_an_apology_about_its_moment_counts(words: str) -> None:
    lines = [line for line in BLAME if line.start not in (4.5, 10)]
    lines += [caller(4.5, 9), agent(10, 12, words)]
    said = play(*lines, hangup=33)
    assert due(said, "apology") == [12_000]
    assert "apology" not in missed(said)


def test_looking_something_up_wants_a_request_to_wait() -> None:
    said = play(
        *GOOD[:2], agent(9, 11, "我帮您查一下"), agent(12, 13, "请您稍等"),
        agent(24, 27, "让您久等了，可以办"), caller(28, 29, "那我要查两个"),
        agent(30, 32, "我再查一下"), agent(50, 52, CLOSING), hangup=53,
    )  # fmt: skip
    assert due(said, "hold") == [11_000, 32_000]
    assert ticked(said).count("hold") == 1
    assert due(said, "hold-thanks") == [24_000]
    assert "hold-thanks" in ticked(said)


@pytest.mark.parametrize(("back", "moments"), [(24, [24_000]), (17, [])])
def test_thanks_come_due_after_a_wait_that_was_long(back: float, moments: list[int]) -> None:
    said = play(
        agent(0.5, 4, OPENING),
        caller(4.5, 8),
        agent(9, 11, "请您稍等"),
        agent(back, back + 3, "查到了，可以办"),
        agent(30, 32, CLOSING),
        hangup=33,
    )
    assert due(said, "hold-thanks") == moments


@pytest.mark.parametrize(
    "lines",
    [
        [agent(0.5, 4, OPENING)],
        [agent(0.5, 4, OPENING), caller(4.5, 8)],
        [agent(0.5, 4, OPENING), caller(4.5, 6, "哦不好意思打错了"), agent(7, 8, "没关系再见")],
        [agent(0.5, 4, OPENING), caller(4, 9), agent(9.5, 11, "带证件就行"), caller(12, 13)],
        [agent(0.5, 4, OPENING), agent(10, 12, "您好，听得到吗"), agent(18, 20, "您好，请讲话")],
        [caller(1, 3)],
        [],
    ],
    ids=["hung up", "hung up soon", "wrong number", "one answer", "silent", "no agent", "nothing"],
)  # fmt: skip
def test_a_short_call_is_no_conversation(lines: list[Line]) -> None:
    assert missed(play(*lines, hangup=25)) == {}


def test_nothing_is_missed_in_a_lost_call_or_where_words_were_never_known() -> None:
    def lost(events: list[Event]) -> list[Event]:
        return [
            e.model_copy(update={"ended_by": "lost"}) if isinstance(e, CallEnded) else e
            for e in events
        ]

    def unheard(events: list[Event]) -> list[Event]:
        return [e for e in events if not (isinstance(e, TranscriptFinal) and "是否清楚" in e.text)]

    lines = without(GOOD, "贵姓", "姓林", "对吗")
    assert missed(play(*lines, hangup=46, change=lost)) == {}
    assert missed(play(*GOOD, hangup=46, change=unheard)) == {}


def test_late_words_come_before_a_miss() -> None:
    def late(events: list[Event]) -> list[Event]:
        finals = [e for e in events if isinstance(e, TranscriptFinal) and "是否清楚" in e.text]
        return [*[e for e in events if e not in finals], *finals]

    assert missed(play(*GOOD, hangup=46, change=late)) == {}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_in_any_order_nothing_is_said_twice(data: st.DataObject) -> None:
    lines = [*without(BLAME, "咨询什么"), agent(34, 36, "我帮您转接"), caller(37, 39)]
    script = Script(script=tuple(lines), hangup=Hangup(by="transfer", at=45))
    events = [step.event for step in timeline(script, "c", "s")]
    told = [e for e in events if not isinstance(e, CallProgressed)]
    story: list[Happening] = [*data.draw(st.permutations(told)), CallSettled("c", 45_000)]
    said = fold(story)
    assert said == fold(story)
    mine = [e for e in said if e.event in (PhraseDue.event, PhraseSaid.event, WarningRaised.event)]
    assert len({e.event_id for e in mine}) == len(mine)


@pytest.mark.parametrize(
    ("words", "expected"), [("好的我明白了", {}), ("好的我不明白", {"understanding"})]
)
def test_who_has_understood_need_not_be_asked(words: str, expected: set[str]) -> None:
    lines = [*without(GOOD, "是否清楚", "嗯清楚"), caller(36, 37, words)]
    assert set(missed(play(*lines, hangup=46))) == set(expected)


def test_to_have_understood_before_the_explanation_does_not_count() -> None:
    lines = [*without(GOOD, "是否清楚", "嗯清楚", "对的"), caller(16, 17, "好的我明白了")]
    assert set(missed(play(*lines, hangup=46))) == {"understanding"}


def test_few_polite_words_are_noted() -> None:
    lines = [
        agent(0.5, 4, "热线七号"), *GOOD[1:2], agent(9, 10, "你姓什么"), caller(11, 12, "我姓林"),
        agent(18, 28, EXPLAIN), caller(29, 31, "哦这样子的啊"), agent(32, 33, "行那拜拜"),
    ]  # fmt: skip
    assert missed(play(*lines, hangup=46))["polite"] == "note"


@pytest.mark.parametrize(
    "check",
    [
        "您看我这样说清楚吗", "您听明白了没有", "这样讲您能理解吗", "您都记下了吗", "您能听懂吗",
        "还有哪里不太清楚的", "刚才说的您听清楚了吗", "对我的答复您还有疑问吗",
    ],
)  # fmt: skip
def test_ways_to_check_that_it_was_understood(check: str) -> None:
    lines = [*without(GOOD, "是否清楚", "嗯清楚"), agent(32, 35, check)]
    assert missed(play(*lines, hangup=46)) == {}


@pytest.mark.parametrize(
    "words",
    [
        "好的林女士，您反映的这个情况我已经给您登记了工单，会转给公积金中心，五个工作日内给您回复",
        "林女士，我这边把您的诉求转交给主管部门，请您保持电话畅通，工作人员会联系您的，您放心好了",
        "林女士，您说的这个事情我非常理解，换了谁心里都不好受，您先别着急，我们一件一件来说清楚",
    ],
)
def test_what_is_done_with_the_matter_is_no_explanation(words: str) -> None:
    lines = [line for line in GOOD if line.start not in (18, 32, 36)]
    said = play(*lines, agent(18, 28, words), hangup=46)
    assert due(said, "understanding") == []


PLAIN = [
    agent(0.5, 4, OPENING), caller(4.5, 8, "喂，你好，请问公积金大厅在哪里啊"),
    agent(9, 11, "在和平路八号"), caller(12, 14, "哦好，几点下班"), agent(15, 17, "下午五点半"),
    caller(17.5, 18, "嗯嗯"), agent(18.5, 20, "还有别的事吗"), caller(21, 23, "好的谢谢没有了"),
    agent(24, 26, "那行"), agent(28, 31, CLOSING),
]  # fmt: skip


def test_a_question_for_an_address_needs_no_name_and_no_restating() -> None:
    assert missed(play(*PLAIN, hangup=33)) == {}
    more = [*PLAIN, caller(26.5, 27.9, "我还想问一下离职以后怎么提取公积金")]
    assert set(missed(play(*more, hangup=33))) == {"name", "restated"}


@pytest.mark.parametrize("nothing", ["喂", "嗯", "哦好的", "喂喂你好", "好的谢谢"])
def test_what_is_no_matter_adds_up_to_none(nothing: str) -> None:
    turns = [(5.0 * n, n) for n in range(1, 9)]
    lines = [line for at, n in turns for line in (
        caller(at, at + 1, nothing), agent(at + 2, at + 3, f"您请说{n}"),
    )]  # fmt: skip
    said = play(agent(0.5, 4, OPENING), *lines, agent(46, 48, CLOSING), hangup=50)
    assert due(said, "restated") == []
    assert missed(said) == {}


@pytest.mark.parametrize(
    ("by", "hangup", "expected"), [("caller", 46, True), ("transfer", 46, False)]
)
def test_polite_words_are_judged_where_there_was_room_for_them(
    by: By, hangup: float, expected: bool
) -> None:
    lines = [
        agent(0.5, 4, "热线七号"), *GOOD[1:2], agent(9, 10, "你姓什么"), caller(11, 12, "我姓林"),
        agent(18, 28, EXPLAIN), caller(29, 31, "哦这样子的啊"), agent(32, 33, "行那拜拜"),
    ]  # fmt: skip
    assert ("polite" in missed(play(*lines, hangup=hangup, by=by))) == expected
    short = [*lines[:4], agent(13, 23, EXPLAIN), agent(24, 25, "行那拜拜")]
    assert "polite" not in missed(play(*short, hangup=26, by=by))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("id: closing", "id: farewell", ["required", "closing"]),
        ("after:understanding, ", "after:lunch, ", ["anything-else", "lunch"]),
        ("due: [transfer]", "due: [midnight]", ["transfer-reason", "due", "midnight"]),
        ("source: E32", "source: Z9", ["understanding", "source"]),
        ("level: remind", "level: alarm", ["transfer-consent", "level"]),
        ("    passed: ended\n", "", ["name", "passed"]),
        ("at_least: 3", "at_least: 9", ["polite", "at_least"]),
        ("- 贵姓", "- 贵[姓", ["name", "wordings", "brackets"]),
        ("id: rating", "id: opening", ["opening", "2 times"]),
    ],
)
def test_a_mistake_in_the_file_is_named(
    tmp_path: Path, old: str, new: str, named: list[str]
) -> None:
    text = (DATA / "required.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "required.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as error:
        load_required(path)
    for part in ["required.yaml", *named]:
        assert part in str(error.value)
