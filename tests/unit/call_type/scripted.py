"""A model in which everything is known: what a text speaks for stands in its cues.

`clear(label)` speaks strongly for a type, `faint(label)` a little, both by their words;
`meant(label)` speaks by its vector alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from contracts.base import Producer, Role
from contracts.call_type import CALL_TYPES, INTAKES, CallType
from contracts.transcript import TranscriptFinal
from services.call_type.books import Books
from services.call_type.prosody_signs import load_signs
from services.call_type.situations.book import load_book
from services.call_type.situations.look import Turn as MomentTurn
from services.call_type.situations.moments import Moments
from services.call_type.situations.recogniser import Recognised, Recogniser
from services.call_type.tables import load_tables
from services.call_type.types.assess import Assessor
from services.call_type.types.look import GRAM_PLACES, MANNER, VECTOR_PLACES
from services.call_type.types.model import INTAKE_GRAMS, INTAKE_VECTORS, About, Joint, TypeModel
from services.call_type.types.turning import SIGNS
from services.common.heads import Array, GramBlock, Head, VectorBlock
from services.common.vectors import Vector

DIMENSION = 384
CLEAR, FAINT, MEANT = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉", "梅兰竹菊松柏桃李杏柳"
"""One character a type."""
REST = "是这件事情从头到尾都跟他们细讲过"
"""What says nothing of a type, but enough for a turn to count fully."""
LEADER = "领导"
"""What the scripted moments know: a caller who wants a leader."""


def clear(label: CallType, more: str = "") -> str:
    """An utterance that leaves no doubt (0.86 for the type)."""
    return f"{CLEAR[CALL_TYPES.index(label)]}{REST}{more}"


def faint(label: CallType, more: str = "") -> str:
    """One that leans there (0.45 for it)."""
    return f"{FAINT[CALL_TYPES.index(label)]}{REST}{more}"


def meant(label: CallType, more: str = "") -> str:
    """One whose words say nothing."""
    return f"{MEANT[CALL_TYPES.index(label)]}{REST}{more}"


def vector(text: str) -> Vector:
    """A common part as sentence models have it, and one direction a type. Unit length."""
    row = np.zeros(DIMENSION, dtype=np.float32)
    row[0] = 2.0
    row[1 : 1 + len(MEANT)] = [text.count(cue) for cue in MEANT]
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


class ScriptedEmbedder:
    """The scripted vectors, or none while it is down."""

    model = "scripted 1"

    def __init__(self) -> None:
        self.down = False
        self.asked: list[str] = []

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        self.asked += texts
        return None if self.down else [vector(text) for text in texts]


class ScriptedMoments:
    """Knows one situation, by one word."""

    version = "scripted"

    def recognise(self, turns: Sequence[MomentTurn]) -> Recognised:
        if LEADER in turns[-1].text:
            return Recognised("wants-a-leader", 0.9, LEADER)
        return Recognised(None, 0.9)


@cache
def model(embedding: str = "scripted 1", version: str = "00000001") -> TypeModel:
    """The scripted model."""
    size, kinds = len(CALL_TYPES), len(INTAKES)
    cues = {f"c{cue}": row for row, cue in enumerate(CLEAR + FAINT)}
    one = np.eye(size, dtype=np.float32)
    grams = dict.fromkeys(GRAM_PLACES, GramBlock({}, np.zeros((1, size), dtype=np.float32)))
    # A few known grams are taken times 1/4: log-odds of 4 and 2.
    grams["last"] = GramBlock(cues, np.concatenate([16 * one, 8 * one]))
    vectors = {place: VectorBlock(vector(""), _weights(size)) for place in VECTOR_PLACES}
    vectors["last"].weights[1 : 1 + size] = 4 * one
    zeros = np.zeros(kinds, dtype=np.float32)
    nothing = GramBlock({}, np.zeros((1, kinds), dtype=np.float32))
    return TypeModel(
        About(version=version, embedding=embedding, calls=0, figures={}),
        Head(CALL_TYPES, grams, _zeros(size), vectors, _zeros(size)),
        Head(
            INTAKES,
            dict.fromkeys(INTAKE_GRAMS, nothing),
            zeros,
            {place: VectorBlock(vector(""), _weights(kinds)) for place in INTAKE_VECTORS},
            zeros,
        ),
        Joint(_join_types(2), _join_intakes(2)),
        Joint(_join_types(1), _join_intakes(1)),
        _turning(),
    )


def assessor(embedding: str = "scripted 1") -> Assessor:
    """The scripted model over the packaged tables."""
    return Assessor(load_tables(), model(embedding))


def books(recogniser: Recogniser | None = None) -> Books:
    """The scripted model and moments, and the packaged tables."""
    return Books(
        tables=load_tables(),
        signs=load_signs(),
        assessor=assessor(),
        moments=Moments(recogniser or ScriptedMoments(), load_book()),
        embedding="scripted 1",
    )


def final(at_ms: int, text: str, role: Role = "caller", lasts_ms: int = 900) -> TranscriptFinal:
    """A final of the call c1."""
    return TranscriptFinal(
        call_id="c1",
        site="main",
        at_ms=at_ms,
        role=role,
        end_ms=at_ms + lasts_ms,
        text=text,
        heard=text,
        by=Producer(name="scripted", version="1"),
    )


def _zeros(size: int) -> Array:
    return np.zeros(size, dtype=np.float32)


def _weights(labels: int) -> Array:
    return np.zeros((DIMENSION, labels), dtype=np.float32)


def _join_types(heads: int) -> Array:
    """What the heads say, added up; the same matter as in an earlier call speaks for 纠缠."""
    size = len(CALL_TYPES)
    weights = np.zeros((heads * size + len(MANNER) + 1, size), dtype=np.float32)
    for head in range(heads):
        weights[head * size : (head + 1) * size] = np.eye(size)
    row = heads * size + MANNER.index("history_words")
    weights[row, CALL_TYPES.index("纠缠")] = 8.0
    return weights


def _join_intakes(heads: int) -> Array:
    """The signal words; 业务咨询 where there are none."""
    kinds = len(INTAKES)
    weights = np.zeros((heads * kinds + len(CALL_TYPES) + kinds + 1, kinds), dtype=np.float32)
    weights[-1 - kinds : -1] = np.eye(kinds)
    weights[-1, INTAKES.index("业务咨询")] = 1.0
    return weights


def _turning() -> Array:
    """A turn where the new type leads by a factor of 20 in odds."""
    weights = np.zeros(len(SIGNS) + 1, dtype=np.float32)
    weights[SIGNS.index("lead")] = 1.0
    weights[-1] = -3.0
    return weights
