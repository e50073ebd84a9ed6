"""Linear heads learned from toy exemplars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from services.common.heads import Array
from tools.train.linear import NEVER, Lesson

pytestmark = pytest.mark.unit

LABELS = ("red", "green", "blue", "never")
AUTHORS = ("a", "b", "c")
EACH = 12


def lesson(**other: Any) -> tuple[Lesson, list[str]]:
    """Exemplars by three authors: each colour has words and a direction; each author a word of
    their own in every line, and some lines have no vector."""
    dice = np.random.default_rng(5)
    known, grams, vectors, authors = [], [], [], []
    for number in range(EACH * 9):
        label, author = number % 3, AUTHORS[number // 3 % 3]
        known.append(label)
        authors.append(author)
        grams.append({f"c{LABELS[label]}", f"c{author}", f"n{dice.integers(9)}"})
        row = dice.normal(scale=0.1, size=6) + np.eye(6)[label] + 2 * np.eye(6)[5]
        vectors.append(row * (number % 10 > 0))
    parts: dict[str, Any] = {
        "labels": LABELS,
        "known": np.array(known, dtype=np.intp),
        "grams": {"last": grams, "empty": [frozenset[str]()] * len(known)},
        "vectors": {"last": np.array(vectors, dtype=np.float32)},
        "weights": np.ones(len(known), dtype=np.float32),
    }
    return Lesson(**(parts | other)), authors


def right(shares: Array, made: Lesson) -> float:
    return float((shares.argmax(axis=1) == made.known).mean())


def test_what_can_be_told_apart_is_learned() -> None:
    """By words, and by vectors wherever there is one; a label without exemplars is never said."""
    made, _ = lesson()
    every = np.arange(len(made.known))
    head = made.learn(every)
    words, meaning = made.read(head, every)
    assert right(words, made) == 1
    there = made.vectors["last"].any(axis=1)
    assert (meaning.argmax(axis=1) == made.known)[there].all()
    never = LABELS.index("never")
    assert head.gram_bias[never] == head.vector_bias[never] == NEVER
    assert max(words[:, never].max(), meaning[:, never].max()) < -10
    assert len(head.grams["empty"].vocabulary) == 0


def test_the_same_exemplars_teach_the_same() -> None:
    made, _ = lesson()
    one, other = (made.learn(np.arange(60)) for _ in range(2))
    assert one.grams["last"].vocabulary == other.grams["last"].vocabulary
    assert one.grams["last"].weights.tobytes() == other.grams["last"].weights.tobytes()
    assert one.vectors["last"].weights.tobytes() == other.vectors["last"].weights.tobytes()


def test_rare_grams_are_left_out_by_place() -> None:
    made, _ = lesson()
    made.grams["last"][0].add("conce")  # type: ignore[attr-defined]
    every = np.arange(len(made.known))
    assert "conce" not in made.learn(every).grams["last"].vocabulary
    keen, _ = lesson(rarest={"last": 1}, grams=made.grams)
    assert "conce" in keen.learn(every).grams["last"].vocabulary


def test_an_author_is_judged_by_what_the_others_taught() -> None:
    """Author c's words mean another colour than with the others: who is judged by others alone is
    wrong, who looked at the own lines would be right."""
    made, authors = lesson()
    turned = np.array([(k + (a == "c")) % 3 for k, a in zip(made.known, authors, strict=True)])
    odd, _ = lesson(known=turned)
    of_c = np.array([author == "c" for author in authors])
    for shares in odd.judged_by_others(authors, folds=6):
        there = of_c & odd.vectors["last"].any(axis=1)
        assert (shares.argmax(axis=1) == odd.known)[there].mean() == 0
        assert (shares.argmax(axis=1) == made.known)[there].mean() == 1
    honest, _ = made.judged_by_others(authors, folds=6)
    assert right(honest, made) == 1


def test_counts_are_minded() -> None:
    """What counts more is followed where exemplars contradict each other."""
    grams = {"last": [{"cx"}] * 8}
    parts: dict[str, Any] = {
        "known": np.array([0, 1] * 4, dtype=np.intp),
        "grams": grams,
        "vectors": {"last": np.ones((8, 2), dtype=np.float32)},
    }
    for heavy in (0, 1):
        weights = np.where(parts["known"] == heavy, 3.0, 1.0).astype(np.float32)
        made, _ = lesson(**parts, weights=weights)
        words, _ = made.read(made.learn(np.arange(8)), np.arange(1))
        assert words[0].argmax() == heavy
        assert np.exp(words[0][heavy]) == pytest.approx(0.75, abs=0.1)


def test_exemplars_of_one_label_teach_that_label() -> None:
    made, _ = lesson(known=np.full(EACH * 9, 1, dtype=np.intp))
    words, meaning = made.read(made.learn(np.arange(20)), np.arange(20))
    assert set(words.argmax(axis=1)) == set(meaning.argmax(axis=1)) == {1}
