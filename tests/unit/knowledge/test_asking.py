"""Which utterances are the question."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from services.knowledge.deciding.decide import Case, Judge
from services.knowledge.finding.asking import Found, asks, look_up
from services.knowledge.finding.ranking import Evidence
from tests.unit.knowledge.bags import CARD, DAY, EARLY, TREE, WAGES, evidence_of

pytestmark = pytest.mark.unit

ENTRIES = (CARD, WAGES, EARLY)
CASE = Case("临江市", DAY)


@dataclass
class Script:
    """Evidence by the words it is asked for; nothing for others."""

    scores: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    talk: dict[str, float] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)

    async def hear(self, text: str) -> Evidence:
        self.heard.append(text)
        scores = self.scores.get(text, (0.05, 0.05, 0.05))
        return evidence_of(scores, talk=self.talk.get(text, 0.1), other=0.1)

    async def ask(self, text: str, *before: str) -> Found | None:
        return await look_up(text, before, self.hear, Judge(ENTRIES, TREE), CASE)


def entry(found: Found | None) -> tuple[str, int] | None:
    return (found.ruling.source.entry_id, found.utterances) if found else None


async def test_a_clear_utterance_counts_by_itself() -> None:
    joined = "拖欠工资，我社保卡丢了"
    script = Script({"我社保卡丢了": (0.9, 0.1, 0.1), joined: (0.5, 0.9, 0.1)})
    assert entry(await script.ask("我社保卡丢了", "拖欠工资")) == ("card-1", 1)
    assert script.heard == ["我社保卡丢了", joined]


@pytest.mark.parametrize("text", ["嗯嗯好的", "谢谢您", "", "哦，是的，对"])
async def test_what_holds_nothing_is_not_even_looked_up(text: str) -> None:
    script = Script({text: (0.9, 0.1, 0.1)})
    assert not asks(text)
    assert await script.ask(text, "我社保卡丢了") is None
    assert script.heard == []


async def test_a_spread_question_is_put_together() -> None:
    joined = "我以前在煤矿井下，能早点退下来吗"
    script = Script({joined: (0.0, 0.0, 0.9), "能早点退下来吗": (0.3, 0.35, 0.4)})
    assert entry(await script.ask("能早点退下来吗", "我以前在煤矿井下")) == ("early-1", 2)


async def test_a_generic_question_is_about_what_was_said_before() -> None:
    # Alone it would match some entry on papers: that one is not meant.
    script = Script(
        {"要带些什么材料": (0.0, 0.9, 0.0), "社保卡丢了，要带些什么材料": (0.9, 0.1, 0.0)}
    )
    assert entry(await script.ask("要带些什么材料", "社保卡丢了")) == ("card-1", 2)
    assert entry(await script.ask("要带些什么材料")) == ("wage-1", 1)


async def test_an_utterance_that_adds_nothing_does_not_bring_up_the_last_matter_again() -> None:
    joined = "社保卡丢了，天气真不错"
    script = Script({joined: (0.9, 0.0, 0.0), "天气真不错": (0.02, 0.0, 0.0)})
    assert await script.ask("天气真不错", "社保卡丢了") is None


async def test_talk_shows_nothing_whatever_was_said_before() -> None:
    joined = "社保卡丢了，我姓王三横王"
    script = Script({joined: (0.9, 0.0, 0.0)}, talk={"我姓王三横王": 0.8})
    assert await script.ask("我姓王三横王", "社保卡丢了") is None


async def test_a_weak_match_shows_nothing_and_others_are_named_only_if_near() -> None:
    script = Script({"社保卡和工资": (0.9, 0.5, 0.1), "公园几点开门": (0.3, 0.25, 0.2)})
    found = await script.ask("社保卡和工资")
    assert found is not None
    assert [other.source.entry_id for other in found.alternatives] == ["wage-1"]
    assert await script.ask("公园几点开门") is None
