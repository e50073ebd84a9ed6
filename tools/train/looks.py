"""Labelled calls as the call type's heads see them: one look for each thing the caller says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.call_type import CALL_TYPES
from services.call_type.types.dialogue import Dialogue
from services.call_type.types.ear import Ear
from services.call_type.types.look import Look, look
from services.common.heads import Array
from services.common.vectors import Vector
from services.embedding.encoder import Encoder
from tools.train.dialogues import LabelledCall

BATCH = 32
TURN_MS, SPOKEN_MS = 10_000, 5_000
"""From one turn of a labelled call to the next, and how much of it is spoken."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One look, with what is right then."""

    call: int
    """Index of the call."""
    at: int
    """Index of the turn in the call."""
    turn: int
    """Which turn of the caller's it is, of those that say something; from 1."""
    telling: int
    """Characters of the turn beside acknowledgements."""
    label: int
    """Index of the type then."""
    last: bool
    """Whether the caller says nothing more after it."""
    look: Look


def vectors_of(calls: Sequence[LabelledCall], encoder: Encoder) -> dict[str, Vector]:
    """The vector of every turn, each text once, texts of like length together."""
    texts = sorted(
        {turn.text for call in calls for turn in call.turns if turn.text.strip()}, key=_by
    )
    return {
        text: vector
        for at in range(0, len(texts), BATCH)
        for text, vector in zip(
            texts[at : at + BATCH], encoder.embed(texts[at : at + BATCH], "query"), strict=True
        )
    }


def looks(calls: Sequence[LabelledCall], ear: Ear, vectors: Mapping[str, Vector]) -> list[Seen]:
    """Every look there is to learn from."""
    return [seen for at, call in enumerate(calls) for seen in _of(at, call, ear, vectors)]


def rows(found: Sequence[Seen], place: str) -> Array:
    """The vectors at one place; zeros where there is none."""
    there = [seen.look.vectors[place] for seen in found]
    size = next((len(vector) for vector in there if vector is not None), 1)
    nothing = np.zeros(size, dtype=np.float32)
    return np.array([nothing if v is None else v for v in there], dtype=np.float32)


def _of(number: int, call: LabelledCall, ear: Ear, vectors: Mapping[str, Vector]) -> list[Seen]:
    dialogue = Dialogue(matters=tuple(ear.matter(text) for text in call.history))
    labels = iter(call.labels_after)
    found: list[Seen] = []
    for at, turn in enumerate(call.turns):
        label = next(labels) if turn.role == "caller" else None
        span = (at * TURN_MS, at * TURN_MS + SPOKEN_MS)
        said = ear.hear(str(at), turn.role, span, turn.text, vectors.get(turn.text))
        if not said.says_something:
            continue
        dialogue = dialogue.after(said)
        if label:
            found.append(
                Seen(
                    call=number,
                    at=at,
                    turn=dialogue.caller_turns,
                    telling=said.telling,
                    label=CALL_TYPES.index(label),
                    last=False,
                    look=look(dialogue),
                )
            )
    return [*found[:-1], *(replace(seen, last=True) for seen in found[-1:])]


def _by(text: str) -> tuple[int, str]:
    return len(text), text
