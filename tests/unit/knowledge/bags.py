"""A model of vectors that needs no model: texts that share pairs of characters lie near."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np

from contracts.requests import Embedding
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.background import Vectors
from services.knowledge.finding.embedder import NoVectors, Purpose
from services.knowledge.finding.ranking import Evidence, Ranking, Weights

DIMENSION = 256
TREE = RegionTree(
    {
        "青川省": None,
        "临江市": "青川省",
        "云岭县": "临江市",
        "安平市": "青川省",
    }
)
DAY = date(2026, 6, 1)


def vector(text: str) -> tuple[float, ...]:
    """One dimension a pair of characters, by its hash; unit length."""
    bag = np.full(DIMENSION, 0.02)
    for pair in pairwise(text):
        digest = hashlib.sha256("".join(pair).encode()).digest()
        bag[digest[0]] += 1.0
    return tuple((bag / np.linalg.norm(bag)).tolist())


class Bags:
    """An embedder of such vectors that can be out of order."""

    def __init__(self, model: str = "bags 1") -> None:
        self.model = model
        self.there = True
        self.passages: list[str] = []
        self._asked_again = asyncio.Event()

    def now(self, model: str) -> None:
        """Be another model from now on."""
        self.model = model
        self._asked_again.clear()

    async def asked_again(self) -> None:
        """Wait until the other model has made a passage of the base."""
        await self._asked_again.wait()

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        if not self.there:
            raise NoVectors("out of order")
        if purpose == "passage":
            self.passages += texts
            if len(texts) > 1:
                self._asked_again.set()
        return Embedding(
            model=self.model, dimension=DIMENSION, vectors=tuple(vector(t) for t in texts)
        )


CARD = Entry(
    id="card-1",
    question="社保卡丢了怎么补办",
    answer="持身份证到网点补卡，当场可取。",
    department="省社保卡中心",
    region="青川省",
    authorised=True,
    similar=("社保卡不见了", "补一张社保卡要去哪里"),
)
CARD_CITY = replace(CARD, id="card-2", answer="到市大厅一楼补卡。", region="临江市")
CARD_COUNTY = replace(
    CARD, id="card-3", answer="内部口径：县里暂不答复。", region="云岭县", authorised=False
)
WAGES = Entry(
    id="wage-1",
    question="拖欠工资怎么投诉",
    answer="向劳动监察支队登记。",
    department="劳动监察支队",
    region="临江市",
    authorised=True,
    similar=("老板不发工钱",),
)
EARLY = Entry(
    id="early-1",
    question="特殊工种能不能提前退休",
    answer="内部口径：须逐案认定，坐席不作判断。",
    department="养老保险处",
    region="临江市",
    authorised=False,
    similar=("井下干了多年能早点退吗",),
    liaison="沈同志",
    phone="0599-555-1102",
)
ENTRIES = (CARD, CARD_CITY, CARD_COUNTY, WAGES, EARLY)


WEIGHTS = Weights(
    witnesses=(0.29, 0.35, 0.08, 0.13, 0.06, 0.09),
    sure=(8.0, 10.5, 0.0, -35.0, -5.0, -3.9, 0.0, 0.0, 0.0, -3.2),
    shown_from=0.5,
    listed_from=0.4,
)
"""Numbers as they could have been learned, so that what is learned anew changes no test."""


BAGS_WEIGH = WEIGHTS.model_copy(
    update={
        "sure": (12.5, 16.4, 0.0, -35.0, -5.0, -3.9, 0.0, 0.0, 0.0, -3.2),
        "listed_from": 0.25,
    }
)
RANKING = Ranking(
    version="test",
    meaning=BAGS_WEIGH,
    words=BAGS_WEIGH,
    expected=(0.07, 0.65, 0.33, 0.07, 0.65, 0.33),
)


def evidence_of(
    scores: Sequence[float], *, talk: float = 0.0, other: float = 0.0, nearest: float = 0.5
) -> Evidence:
    """Evidence for entries by their position."""
    return Evidence(np.asarray(scores), talk, other, np.full(len(scores), nearest), 12, WEIGHTS)


class BagEncoder:
    """The same vectors in the form of the general model."""

    dimension = DIMENSION

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        return np.asarray([vector(text) for text in texts], dtype=np.float32)
