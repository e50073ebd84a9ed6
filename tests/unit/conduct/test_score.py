"""The live score: what findings cost, what comes back, and that the order does not matter."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import Event, Evidence, Producer
from contracts.requests import ScoreSheet
from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from contracts.warning import (
    Level,
    WarningConfirmed,
    WarningKind,
    WarningRaised,
    WarningWithdrawn,
)
from services.common.datafiles import DataFileError
from services.conduct.books import DATA, Rules, load_rules, load_score
from services.conduct.scoring import score, sheet
from tests.unit.conduct.stories import agent, caller, handler
from tools.recordings import Hangup
from tools.scripted_calls import Script, timeline

pytestmark = pytest.mark.unit

HERE: dict[str, Any] = {"call_id": "c", "site": "s"}


@cache
def rules() -> Rules:
    return load_rules()


def warned(
    name: str,
    at: int = 9_000,
    kind: WarningKind = "forbidden_phrase",
    level: Level = "alarm",
    **more: Any,
) -> WarningRaised:
    end = more.pop("end", at + 1_000)
    return WarningRaised(
        **HERE, at_ms=at, by=Producer(name=name, version="1"), warning_id=f"{name}-{at}",
        kind=kind, level=level, end_ms=end, due_ms=end, message="说了不宜说的话。",
        evidence=(Evidence(words="话", role="agent", start_ms=at, end_ms=end),), **more,
    )  # fmt: skip


def confirmed(warning: WarningRaised) -> WarningConfirmed:
    words = (Evidence(words="后来听清的话", role="agent", start_ms=warning.at_ms, end_ms=99_000),)
    return WarningConfirmed(
        **HERE, at_ms=warning.at_ms, by=warning.by, warning_id=warning.warning_id, evidence=words
    )


def withdrawn(warning: WarningRaised) -> WarningWithdrawn:
    return WarningWithdrawn(
        **HERE, at_ms=warning.at_ms, by=warning.by, warning_id=warning.warning_id, reason="听错了。"
    )


def appealed(warning: WarningRaised) -> DeductionAppealed:
    return DeductionAppealed(
        **HERE, at_ms=90_000, deduction_id=warning.warning_id, agent_id="007", reason="没有说"
    )


def decided(warning: WarningRaised, accepted: bool) -> AppealDecided:
    return AppealDecided(
        **HERE, at_ms=90_000, deduction_id=warning.warning_id, supervisor="ban", accepted=accepted
    )


def told(*events: Event) -> list[tuple[str, int, int]]:
    """Each change of the score: item, points, score."""
    facts, said = score.Facts(), []
    for event in events:
        facts, changes = score.judge(facts, event, rules().score)
        said += changes
    assert all(isinstance(e, ScoreChanged) for e in said)
    return [(e.item, e.points, e.score) for e in said if isinstance(e, ScoreChanged)]


def sheet_of(*events: Event) -> ScoreSheet:
    return sheet.of("c", events, rules().score)


def states(made: ScoreSheet) -> list[tuple[str, str]]:
    return [(d.item, d.state) for d in made.deductions]


def test_every_forbidden_phrase_and_every_item_of_the_rules_is_there() -> None:
    items = rules().score.file.items
    named = [rule for item in items for rule in item.findings.rules]
    assert sorted(named) == sorted(rules().phrases.rules)
    assert all(item.source == "B" for item in items)
    assert not any(item.judged == bool(item.why) for item in items)


@pytest.mark.parametrize("rule", sorted(load_rules().phrases.rules))
def test_what_a_forbidden_phrase_costs(rule: str) -> None:
    expected = {"shirking": 10, "wording": 4}
    ((item, points, now),) = told(warned(rule))
    assert points == -expected.get(item, 5)
    assert now == (0 if item == "shirking" else 100 + points)


@pytest.mark.parametrize(
    ("rule", "item"),
    [
        ("rhetorical-question", "rhetorical-question"), ("how-would-i-know", "rhetorical-question"),
        ("i-dont-know", "dont-know"), ("dont-know-unclear", "dont-know"),
        ("abuse-sarcasm", "abuse"), ("shirking", "shirking"), ("understood", "wording"),
        ("dont-ramble", "hard-tone"), ("basic-knowledge", "blame"), ("go-complain", "attitude"),
    ],
)  # fmt: skip
def test_which_item_a_forbidden_phrase_leads_to(rule: str, item: str) -> None:
    assert told(warned(rule))[0][0] == item


COSTS: dict[tuple[WarningKind, Level], int] = {
    ("missing_opening", "alarm"): 2, ("missing_closing", "alarm"): 2,
    ("hold_over_30s", "alarm"): 3, ("interruption", "alarm"): 3, ("talking_over", "remind"): 3,
    ("asks_to_repeat", "remind"): 5, ("hold_unannounced", "note"): 3,
}  # fmt: skip


@pytest.mark.parametrize("kind", get_args(WarningKind))
@pytest.mark.parametrize("level", get_args(Level))
def test_what_each_kind_of_warning_costs(kind: WarningKind, level: Level) -> None:
    item = rules().score.item_of(warned("x", kind=kind, level=level))
    costs = any(kind == k for k, _ in COSTS) and (level != "note" or kind == "hold_unannounced")
    assert (item is not None) == costs
    if item:
        assert item.points == next(points for (k, _), points in COSTS.items() if k == kind)


@pytest.mark.parametrize(
    ("phrase", "level", "points"),
    [
        ("name", "note", 2), ("name-used", "note", 2), ("polite", "note", 2),
        ("restated", "note", 3), ("understanding", "remind", 4), ("understanding", "note", 0),
        ("apology", "remind", 0), ("anything-else", "note", 0),
    ],
)  # fmt: skip
def test_what_a_missed_phrase_costs(phrase: str, level: Level, points: int) -> None:
    changes = told(warned(phrase, kind="missing_phrase", level=level))
    assert sum(points for _, points, _ in changes) == -points


def test_a_change_has_its_evidence_and_its_cause() -> None:
    warning = warned("rhetorical-question")
    _, (change,) = score.judge(score.Facts(), warning, rules().score)
    assert isinstance(change, ScoreChanged)
    assert (change.deduction_id, change.at_ms) == (warning.warning_id, 9_000)
    assert change.evidence == warning.evidence
    assert change.derived_from == (warning.event_id,)
    assert (change.reason, change.name) == (warning.message, "使用反问语")
    assert change.by.version == f"score-{rules().score.version}"


def test_a_withdrawn_warning_gives_its_points_back() -> None:
    one, two = warned("rhetorical-question"), warned("i-dont-know", 20_000)
    events = [one, two, withdrawn(one)]
    assert told(*events) == [
        ("rhetorical-question", -5, 95), ("dont-know", -5, 90), ("rhetorical-question", 5, 95),
    ]  # fmt: skip
    made = sheet_of(*events)
    assert made.score == 95
    assert states(made) == [("rhetorical-question", "returned"), ("dont-know", "stands")]


def test_a_provisional_warning_costs_once_it_is_confirmed() -> None:
    warning = warned("interruption", kind="interruption", provisional=True)
    assert told(warning) == told(warning, withdrawn(warning)) == []
    assert states(sheet_of(warning, withdrawn(warning))) == []
    assert told(warning, confirmed(warning)) == [("cuts-in", -3, 97)]
    (deduction,) = sheet_of(warning, confirmed(warning)).deductions
    assert deduction.evidence[0].words == "后来听清的话"


def test_an_appeal_counts_only_when_it_is_accepted() -> None:
    warning = warned("rhetorical-question")
    made = [warning, appealed(warning)]
    assert told(*made) == [("rhetorical-question", -5, 95)]
    assert states(sheet_of(*made)) == [("rhetorical-question", "appealed")]
    assert told(*made, decided(warning, True))[1:] == [("rhetorical-question", 5, 100)]
    assert states(sheet_of(*made, decided(warning, True))) == [("rhetorical-question", "returned")]
    assert told(*made, decided(warning, False))[1:] == []
    refused = sheet_of(*made, decided(warning, False))
    assert (refused.score, states(refused)) == (95, [("rhetorical-question", "confirmed")])
    # The first decision holds, and none without an appeal.
    assert sheet_of(*made, decided(warning, False), decided(warning, True)).score == 95
    assert sheet_of(warning, decided(warning, True)).score == 95


def test_points_come_back_exactly_from_below_zero() -> None:
    many = [warned("abuse-sarcasm", at * 10_000) for at in range(22)]
    made = sheet_of(*many)
    assert (made.score, len(made.deductions)) == (0, 22)
    back = [e for w in many[:3] for e in (appealed(w), decided(w, True))]
    assert sheet_of(*many, *back).score == 5
    assert [now for _, _, now in told(*many, *back)][-4:] == [0, 0, 0, 5]


def test_shirking_zeroes_the_call_while_it_stands() -> None:
    shirked, other = warned("shirking"), warned("i-dont-know", 20_000)
    assert told(shirked, other) == [("shirking", -10, 0), ("dont-know", -5, 0)]
    events = [shirked, other, appealed(shirked), decided(shirked, True)]
    assert told(*events)[-1] == ("shirking", 10, 95)


def test_what_happened_once_costs_once() -> None:
    cut = warned("interruption", 5_000, "interruption", end=8_000)
    over = warned("talking_over", 5_500, "talking_over", "remind", end=7_000)
    later = warned("interruption", 20_000, "interruption")
    assert told(cut, over, later) == [("cuts-in", -3, 97), ("cuts-in", -3, 94)]
    # Neither does it cost again when the first is given back.
    assert sheet_of(cut, over, appealed(cut), decided(cut, True)).score == 100
    # But a warning that was none leaves its place to what was.
    assert told(cut, over, withdrawn(cut))[1:] == [("cuts-in", 3, 97), ("cuts-in", -3, 97)]
    names = [warned(p, at, "missing_phrase", "note") for p, at in (("name", 1), ("name-used", 2))]
    assert sheet_of(*names).score == 98


def test_what_nobody_knows_changes_nothing() -> None:
    strange = warned("no-such-rule")
    assert told(strange, appealed(strange), decided(strange, True)) == []
    assert told(warned("shirking", kind="pace", level="alarm")) == []
    assert told(appealed(warned("shirking")), withdrawn(warned("shirking"))) == []


WARNINGS = [
    warned("rhetorical-question"),
    warned("rhetorical-question", 9_500),
    warned("shirking", 30_000),
    warned("interruption", 5_000, "interruption", provisional=True),
    warned("talking_over", 5_500, "talking_over", "remind"),
    warned("name", 8_000, "missing_phrase", "note"),
    warned("name-used", 12_000, "missing_phrase", "note"),
    warned("hold_over_30s", 40_000, "hold_over_30s"),
]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_sheet_does_not_depend_on_the_order(data: st.DataObject) -> None:
    events: list[Event] = list(WARNINGS)
    for warning in WARNINGS:
        makers = (confirmed, withdrawn, appealed, lambda w: decided(w, True))
        events += [make(warning) for make in makers if data.draw(st.booleans())]
    order = data.draw(st.permutations(events))
    assert sheet_of(*order).model_dump_json() == sheet_of(*events).model_dump_json()
    # What was told adds up to the sheet, in whatever order it became known.
    facts, now, off = score.Facts(), 100, 0
    for event in order:
        facts, changes = score.judge(facts, event, rules().score)
        for change in changes:
            assert isinstance(change, ScoreChanged)
            now, off = change.score, off + change.points
    made = sheet_of(*events)
    assert now == made.score
    assert -off == sum(d.points for d in made.deductions if d.state != "returned")


def played() -> list[Event]:
    """What is kept of a call: what happened, what conduct said, and what it said of that."""
    lines = (
        agent(0.5, 2, "喂，哪位"), caller(4.5, 8), agent(9, 12, "这我怎么知道"),
        caller(13, 16, "那我该问哪里呢"), agent(17, 19, "我帮你查一下，请稍等"),
        agent(52, 54, "查到了，带身份证就可以"), agent(55, 56, "行了就这样"),
    )  # fmt: skip
    script = Script(script=lines, hangup=Hangup(by="caller", at=58))
    kept: list[Event] = []
    waiting = [step.event for step in timeline(script, "c", "s")]
    call = handler().open("c", "s")
    while waiting:
        event = waiting.pop(0)
        kept.append(event)
        call, said = handler().fold(call, event)
        waiting = [*said, *waiting]
    return kept


def test_the_same_recording_has_the_same_score_to_the_last_bit() -> None:
    first, second = (sheet.of("c", played(), rules().score) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()
    assert first.score < 100
    assert {d.item for d in first.deductions} >= {"opening", "rhetorical-question", "wait-over-30s"}
    assert all(d.evidence for d in first.deductions)
    changes = [e for e in played() if isinstance(e, ScoreChanged)]
    assert changes[-1].score == first.score
    assert {u.item for u in first.unjudged} >= {"dull-voice", "without-basis", "no-record"}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("rules: [shirking]", "rules: [shirk]", ["shirking", "from, rules", "shirk"]),
        ("phrases: [polite]", "phrases: [politeness]", ["polite-words", "phrases", "politeness"]),
        ("phrases: [polite]", "phrases: [rating]", ["polite-words", "phrases", "rating"]),
        ("[hold_over_30s]", "[hold_over_40s]", ["wait-over-30s", "from", "warnings"]),
        ("[hold_over_30s]", "[missing_phrase]", ["wait-over-30s", "from", "phrases"]),
        ("rules: [shirking]", "rules: [go-complain]", ["shirking", "go-complain", "attitude"]),
        ("id: closing\n", "id: opening\n", ["opening", "2 times"]),
        ("points: 10", "points: 0", ["late-or-refused", "points"]),
        ("judged: false\n    why: 语气和", "why: 语气和", ["dull-voice", "from"]),
        ("    zeroes: true", "    zeros: true", ["shirking", "zeros"]),
    ],
)
def test_a_mistake_in_the_file_is_named(
    tmp_path: Path, old: str, new: str, named: list[str]
) -> None:
    text = (DATA / "score.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "score.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as error:
        replace(rules(), score=load_score(path))
    for part in ["score.yaml", *named]:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_site_may_set_its_own_points(tmp_path: Path) -> None:
    text = (DATA / "score.yaml").read_text(encoding="utf-8")
    path = tmp_path / "own.yaml"
    path.write_text(
        text.replace("points: 10\n    source: B\n    zeroes: true", "points: 7\n    source: B"),
        encoding="utf-8",
    )
    own = load_score(path)
    assert sheet.of("c", [warned("shirking")], own).score == 93
    assert own.version != rules().score.version
