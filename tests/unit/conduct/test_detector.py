"""What matching finds and what is meant, joined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.vectors import Vector
from services.common.written import read
from services.conduct.phrases.book import Hit
from services.conduct.phrases.detector import Detector, evidence, readings
from services.conduct.phrases.meaning import JOINT as EVIDENCE
from services.conduct.phrases.meaning import Head
from tests.unit.conduct.heads import BOOK, DEAF, INNOCENT, JOINT, KNOWN, NONE, RAMBLE, head

pytestmark = pytest.mark.unit

SAID = "这我怎么知道"
OFFENCE, FINE = np.array([1.0, 0.0]), np.array([0.0, 1.0])
"""What the embedding service might say of a text, to a head made by hand."""
PLAIN = Detector(BOOK, head())


def told(hits: list[Hit]) -> list[tuple[str, str]]:
    return [(hit.rule.id, hit.words) for hit in hits]


def test_a_phrase_that_is_there_is_kept() -> None:
    assert told(PLAIN.hits(f"您好，{SAID}呀")) == [(KNOWN, SAID)]
    assert told(PLAIN.hits(f"{SAID}，别再这么啰嗦")) == [(KNOWN, SAID), (RAMBLE, "别再这么啰嗦")]


def test_it_is_dropped_where_the_meaning_speaks_against_it() -> None:
    assert PLAIN.hits(f"{SAID}，我帮您问") == []


@pytest.mark.parametrize(
    "ours",
    [
        head(wordings=()),
        head({"c帮": {NONE: 12.0}}, rules=(RAMBLE, "impossible")),
    ],
    ids=["wording", "rule"],
)
def test_a_sites_own_is_not_judged_by_what_the_head_never_learned(ours: Head) -> None:
    hits = Detector(BOOK, ours).hits(f"{SAID}，我帮您问")
    assert told(hits) == [(KNOWN, SAID)]


def test_what_is_only_meant_is_told_with_its_words() -> None:
    text = "哎，您这人 真，慢，到底听没听"
    (hit,) = PLAIN.hits(text)
    assert (hit.rule, hit.words) == (BOOK.rules[KNOWN], "真，慢")
    size = len(read(text).plain)
    assert (hit.start, hit.end) == (4 / size, 6 / size)
    odds = 6 + math.log(1 + math.exp(-10))
    assert hit.score == pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-3)
    assert hit.wording is None
    assert not hit.split


def test_the_part_decides_where_the_polite_rest_would_hide_it() -> None:
    polite = "请您带上身份证和户口本到窗口办理，我帮您登记"
    assert PLAIN.hits("您真慢，我帮您") == []
    (hit,) = PLAIN.hits(f"您真慢，{polite}，{polite}")
    assert hit.words == "真慢"


def test_a_rule_that_the_phrases_do_not_have_is_not_raised() -> None:
    assert Detector(BOOK, head(rules=("gone", RAMBLE))).hits("您真慢") == []


def test_a_phrase_begun_before_is_meant_too() -> None:
    ours = Detector(BOOK, head({"c真慢": {RAMBLE: 10.0}}))
    (hit,) = ours.hits("慢，就这样", "您真")
    assert (hit.rule.id, hit.words) == (RAMBLE, "慢，就这样")
    assert ours.hits("慢，就这样", "您") == []
    # What the one before says as much by itself was raised with it.
    assert ours.hits("就这样", "您真慢") == []


def test_the_vector_has_a_say_where_there_is_one() -> None:
    assert PLAIN.hits("今天天气很好") == []
    (hit,) = PLAIN.hits("今天天气很好", vector=OFFENCE)
    assert (hit.rule.id, hit.words) == (KNOWN, "今天天气很好")
    no_parts = Detector(BOOK, head(joint=(JOINT[0], 0.0, *JOINT[2:])))
    assert no_parts.hits(SAID, vector=FINE) == []
    assert told(no_parts.hits(SAID)) == [(KNOWN, SAID)]


def test_other_weights_hold_without_a_vector() -> None:
    by_words = Detector(BOOK, head(joint=DEAF))
    assert told(by_words.hits(SAID)) == [(KNOWN, SAID)]
    assert by_words.hits(SAID, vector=OFFENCE) == []
    by_vector = Detector(BOOK, head(joint_words=DEAF))
    assert by_vector.hits(SAID) == []
    assert told(by_vector.hits(SAID, vector=OFFENCE)) == [(KNOWN, SAID)]


def test_required_wording_is_no_offence_whatever_it_seems_to_mean() -> None:
    ours = Detector(BOOK, head({"c明白": {KNOWN: 10.0}}))
    assert ours.hits("请问您是否明白") == []
    assert told(ours.hits("您倒是明白")) == [(KNOWN, "明白")]


@pytest.mark.parametrize("text", ["", " ", "，。？", "😀👍", "…\n"])
@pytest.mark.parametrize("previous", ["", SAID, "😀"])
def test_nothing_said_is_nothing_raised(text: str, previous: str) -> None:
    assert PLAIN.hits(text, previous) == []
    assert PLAIN.hits(text, previous, OFFENCE) == []


def test_as_much_is_weighed_as_a_head_has_weights_for() -> None:
    look = BOOK.look(SAID, "您真")
    found = evidence(look, readings(PLAIN.head, look, read(SAID), "您真", None))
    assert len(found) == EVIDENCE == len(JOINT)
    quiet = INNOCENT + math.log(2)
    assert found == pytest.approx((quiet, 0, 0, 1, 1, quiet, 0, 0, 0, 1))


PIECES = st.one_of(
    st.sampled_from([SAID, "真", "慢", "帮", "，", "😀", "別再這麼囉嗦", "ＯＫ１２", "\0", "½"]),
    st.text(max_size=8),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.one_of(st.just(""), TEXTS), st.sampled_from([None, OFFENCE, FINE]))
def test_any_text(text: str, previous: str, vector: Vector | None) -> None:
    hits = PLAIN.hits(text, previous, vector)
    assert hits == PLAIN.hits(text, previous, vector)
    for hit in hits:
        assert hit.words
        assert hit.words in (f"{previous}，{text}" if hit.split else text)
        assert hit.start < hit.end <= 1
        assert hit.end > 0
        assert 0 <= hit.score <= 1
        assert previous.strip() or hit.start >= 0
    assert len({hit.rule.id for hit in hits}) == len(hits)
