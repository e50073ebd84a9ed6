"""With the real model: which askings are one matter, on labelled pairs and on strangers."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import pytest

from services.knowledge.finding.wording import subject
from services.knowledge.gaps.likeness import likeness
from services.knowledge.gaps.meaning import Meaning
from tools.encoder import LocalEmbedder

pytestmark = pytest.mark.slow

PAIRS = Path(__file__).parents[3] / "eval_data" / "gap_pairs.dev.jsonl"


async def test_askings_join_their_like(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    texts = sorted({text for pair in pairs for text in (pair["one"], pair["other"])})
    meaning = Meaning(LocalEmbedder())
    made = await meaning.vectors(texts)
    assert made is not None
    vectors = dict(zip(texts, made, strict=True))

    def joins(one: str, other: str) -> bool:
        return likeness(one, other, float(vectors[one] @ vectors[other])) > 0

    joined = [pair for pair in pairs if joins(pair["one"], pair["other"])]
    right = sum(pair["same"] for pair in joined)
    precision, recall = right / len(joined), right / sum(pair["same"] for pair in pairs)
    same = {frozenset((pair["one"], pair["other"])) for pair in pairs if pair["same"]}
    strangers = [
        (a, b) for a, b in itertools.combinations(texts, 2) if _strange(a, b) and {a, b} not in same
    ]
    false = sum(joins(a, b) for a, b in strangers) / len(strangers)
    with capsys.disabled():
        print(f"\ngap pairs: precision {precision:.2f}, recall {recall:.2f}")
        print(f"strangers joined: {false:.5f} of {len(strangers)}")
        print("joined by kind:", dict(Counter(pair["cat"] for pair in joined)))
    assert precision >= 0.90 and recall >= 0.75
    assert false <= 0.001


def _strange(one: str, other: str) -> bool:
    """Whether two askings have no pair of characters in common in what they are about."""
    return not _pairs(subject(one)) & _pairs(subject(other))


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}
