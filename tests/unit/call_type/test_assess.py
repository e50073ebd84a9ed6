"""The fold: when a type is shown, when it changes, what speaks for it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from services.call_type.assess import Tuning
from services.call_type.dialogue import Dialogue
from tests.unit.call_type.scripted import CUES, PLAIN, assessor, hear, leaning, tables

pytestmark = pytest.mark.unit


def test_nothing_is_shown_before_something_is_said() -> None:
    judge = assessor()
    for texts in ([], ["嗯"], ["嗯，嗯。好的", "对的对的"], ["甲"], ["？！……"]):
        dialogue = hear(judge, texts)
        assert (dialogue.shown, dialogue.intake, dialogue.confidence) == (None, None, 0.0)


def test_acknowledgements_change_nothing_later_either() -> None:
    judge = assessor()
    before = hear(judge, [leaning("哭诉")])
    assert hear(judge, ["嗯", "好的，对"], before) is before


def test_a_clear_utterance_shows_its_type_at_once() -> None:
    for label in CUES:
        dialogue = hear(assessor(), [leaning(label)])
        assert dialogue.shown == label
        assert dialogue.confidence > 0.5
        assert dialogue.best(3)[0] == (label, dialogue.confidence)
        assert dialogue.intake == "投诉" if label == "投诉" else "业务咨询"


def test_a_call_turns_and_turns_back() -> None:
    judge = assessor()
    calm = hear(judge, [leaning("咨询")] * 5)
    angry = hear(judge, [leaning("发泄")] * 2, calm)
    reported = hear(judge, [leaning("投诉")] * 2, angry)
    calm_again = hear(judge, [leaning("咨询")] * 3, reported)
    shown = [d.shown for d in (calm, angry, reported, calm_again)]
    assert shown == ["咨询", "发泄", "投诉", "咨询"]


def test_one_doubtful_utterance_does_not_turn_a_call() -> None:
    judge = assessor()
    settled = hear(judge, [leaning("求助")] * 3)
    doubtful = hear(judge, [CUES["哭诉"] + PLAIN], settled)
    assert doubtful.shown == "求助"
    assert hear(judge, [leaning("求助")], doubtful).shown == "求助"


def test_a_small_lead_turns_a_call_only_when_it_lasts() -> None:
    judge = assessor()
    mixed = CUES["求助"] * 5 + CUES["哭诉"] * 6 + PLAIN
    settled = hear(judge, [leaning("求助")])
    once = hear(judge, [CUES["哭诉"] * 2 + PLAIN], settled)
    assert once.shown == "求助"
    seen = [once.shown]
    for _ in range(4):
        once = hear(judge, [mixed], once)
        seen.append(once.shown)
    assert seen[-1] == "哭诉"
    assert seen == sorted(seen, key=["求助", "哭诉"].index), "no going to and fro"


def test_a_type_that_is_not_likely_enough_replaces_none() -> None:
    texts = [leaning("咨询"), *[leaning("发泄")] * 3]
    assert hear(assessor(), texts).shown == "发泄"
    assert hear(assessor(tuning=Tuning(turn_confidence=1.0)), texts).shown == "咨询"


def test_words_of_the_tables_count_and_saturate() -> None:
    judge = assessor()
    once = hear(judge, [PLAIN + "我说的辛苦"])
    assert once.shown == "投诉"  # 得 in the table is 的 in the text
    many = hear(judge, [PLAIN + "说得辛苦，要个说法"] * 10)
    assert 0.9 < many.confidence < 1.0


def test_without_vectors_words_alone_decide_less_surely() -> None:
    judge = assessor()
    text = PLAIN + "要个说法，" + CUES["投诉"] * 3
    by_words = hear(judge, [text], words=True)
    assert by_words.shown == "投诉"
    assert by_words.words_only
    assert 0.2 < by_words.confidence < hear(judge, [text]).confidence
    assert hear(judge, [PLAIN * 3], words=True).shown is None


def test_vectors_that_come_and_go_within_a_call() -> None:
    judge = assessor()
    dialogue = hear(judge, [leaning("哭诉")])
    dialogue = hear(judge, [PLAIN], dialogue, words=True)
    assert dialogue.words_only
    dialogue = hear(judge, [leaning("哭诉")], dialogue)
    assert (dialogue.shown, dialogue.words_only) == ("哭诉", False)


def test_the_same_question_again_leans_to_pestering() -> None:
    judge = assessor()
    question = "这个问题问题可以吗" + PLAIN
    again = hear(judge, [question] * 4)
    other = hear(judge, [question, PLAIN, PLAIN, PLAIN])
    pester = list(CUES).index("纠缠")
    assert again.probabilities[pester] > 2 * other.probabilities[pester]


def test_one_matter_after_another_becomes_a_basket() -> None:
    judge = assessor()
    dialogue = hear(judge, [leaning("咨询")])
    for _ in range(3):
        dialogue = hear(judge, [PLAIN + "再一个"], dialogue)
    assert dialogue.shown == "综合"


def test_the_intake_kind_stands_beside_the_type() -> None:
    judge = assessor()
    dialogue = hear(judge, [leaning("发泄") + "我要举报"])
    assert (dialogue.shown, dialogue.intake) == ("发泄", "举报")
    assert hear(judge, [leaning("发泄")] * 2, dialogue).intake == "举报", "it lasts"


def test_reasons_are_words_that_were_said() -> None:
    judge = assessor()
    text = f"{PLAIN}，我说的辛苦，{CUES['投诉'] * 3}啊"
    dialogue = hear(judge, [PLAIN, text])
    reasons = judge.reasons(dialogue)
    assert [r.words for r in reasons] == ["说的辛苦", f"{CUES['投诉'] * 3}啊"]
    assert all(r.words in r.heard.text for r in reasons)
    assert reasons[0].score == 2
    assert 0 < reasons[1].score <= 1
    assert judge.reasons(Dialogue()) == []


def test_words_are_found_through_punctuation_and_alike_characters() -> None:
    judge = assessor(
        tables(signals=[{"type": "投诉", "weight": 2, "patterns": ["您得给ABC"]}], questions=["吗"])
    )
    dialogue = hear(judge, [PLAIN + "那你，的给 abc 一下"])
    assert judge.reasons(dialogue)[0].words == "你，的给 abc"


def test_the_same_call_gives_the_same_assessment() -> None:
    texts = [leaning(label) for label in CUES] * 3
    one, other = hear(assessor(), texts), hear(assessor(), texts)
    assert np.array_equal(one.probabilities, other.probabilities)
    assert (one.shown, one.intake) == (other.shown, other.intake)


def test_a_call_of_300_turns_stays_small_and_quick() -> None:
    judge = assessor()
    texts = [leaning(label) + "吗" for label in CUES] * 30
    middle = hear(judge, texts[:150])
    started = time.process_time()
    end = hear(judge, texts[150:], middle)
    assert time.process_time() - started < 3, "150 updates; one takes about a millisecond"
    assert end.shown is not None
    assert (len(end.recent), len(end.asked)) == (len(middle.recent), len(middle.asked))
    assert np.isfinite(end.probabilities).all()
