"""What `banxi bench call-type` lets be heard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from services.call_type.types.model import load_model
from services.embedding.encoder import Encoder
from tools.bench_call_type import BARS, TITLES, Bench, repeated
from tools.evaluate.lines import Turn

pytestmark = pytest.mark.unit

TURNS = [
    Turn(role="agent", text="您好，请讲"),
    Turn(role="caller", text="我想问一下公交卡丢了去哪里补"),
    Turn(role="agent", text="到任意一个服务点"),
    Turn(role="caller", text=""),
    Turn(role="caller", text="我要投诉你们那个窗口"),
    Turn(role="agent", text="好的，我记下来"),
]


class Scripted:
    """An encoder that counts; a text's vector is some direction of its own."""

    dimension = 384
    id = load_model().about.embedding

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], _purpose: str) -> npt.NDArray[np.float32]:
        self.asked += texts
        seeds = [int.from_bytes(hashlib.sha256(t.encode()).digest()[:4], "big") for t in texts]
        rows = np.array([np.random.default_rng(s).standard_normal(self.dimension) for s in seeds])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def test_utterances_of_the_caller_in_the_course_of_the_call() -> None:
    encoder = Scripted()
    bench = Bench(cast("Encoder", encoder))
    first, second = bench.updates(TURNS)
    assert (first.final.text, second.final.text) == (TURNS[1].text, TURNS[4].text)
    for before in (second.before, second.before_words):
        turns = before.assessment.dialogue.turns
        assert [turn.text for turn in turns] == [TURNS[at].text for at in (0, 1, 2)]
    assert set(bench.ways) == set(TITLES) >= set(BARS)
    asked = {}
    for way, hear in bench.ways.items():
        encoder.asked.clear()
        hear(second)
        asked[way] = list(encoder.asked)
    once = [second.final.text]
    assert asked == {"nearest": once, "words_only": [], "update": once, "embedding": once}


def test_a_long_call_ends_with_the_caller() -> None:
    long = repeated(TURNS)
    assert long[:300] == [TURNS[at % 6] for at in range(300)]
    assert long[300:] == [TURNS[4]]
