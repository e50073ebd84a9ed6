"""`banxi train call-type`: learn the types, the intake kind and the turns from labelled calls.

Each author's calls are judged by heads that learned from the other authors alone: from these
judgements come the weights by which readings are joined, what tells a turn, and the figures that
are printed and kept in the file. So all tell what to expect of callers that nobody wrote down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from contracts.call_type import CALL_TYPES, INTAKES, Intake
from services.call_type.tables import PACKAGED, load_tables
from services.call_type.types.ear import Ear
from services.call_type.types.look import GRAM_PLACES, MANNER, VECTOR_PLACES
from services.call_type.types.model import (
    INTAKE_GRAMS,
    INTAKE_VECTORS,
    About,
    Joint,
    TypeModel,
    intake_numbers,
    joined,
    type_numbers,
)
from services.call_type.types.signals import SignalWords
from services.common.datafiles import DataFileError
from services.common.failure import CannotStart
from services.common.heads import Array
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.evaluate.call_type_scores import figures
from tools.evaluate.report import Figures, fail
from tools.train.dialogues import LabelledCall, digest, read_calls
from tools.train.linear import Indexes, Lesson, fit
from tools.train.looks import Seen, looks, rows, vectors_of
from tools.train.turns import courses, learn_turning

FOLDS = 6
"""Groups of authors that are judged by what the others taught."""
RAREST = {"last": 3, "caller": 5, "agent": 5}
"""Grams in fewer looks are left out: those of a long text come again with each look at it."""
FIRMNESS = 10.0
ROUNDS = 60
JOINED_FIRMNESS = 0.1
JOINED_ROUNDS = 300
ENDS = 4.0
"""How much more the end of a call counts for the intake kind, which its label tells of."""
MAIN = 0.7
"""What the author's own label counts where others are accepted beside it; these share the rest."""
KEPT = (
    "accuracy", "accuracy_accept", "macro_f1", "macro_f1_accept",
    "first_utterance_accuracy_accept", "turns_found", "false_turns_per_10_calls",
    "intake_accuracy", "ece",
)  # fmt: skip
console = Console(stderr=True)


def call_type(
    exemplars: Annotated[
        Path, typer.Option(help="Folder of calls*.jsonl, one file an author.")
    ] = PACKAGED / "exemplars",
    out: Annotated[Path, typer.Option(help="Where to write what was learned.")] = PACKAGED
    / "types.npz",
    tables: Annotated[
        Path | None, typer.Option(help="Folder with your own signals, intake and advice tables.")
    ] = None,
) -> None:
    """Learn to tell the call type, the intake kind and the turns from labelled calls.

    Takes some ten minutes. The calls are those that `banxi eval call-type` reads, with every label;
    a mistake in one of them is named and nothing is learned. A site adds files of its own calls to
    a copy of the folder, one for each person who labelled them, trains, and names the result in
    BANXI_CALL_TYPE__TYPES. Whether it generalises is measured from author to author.
    """
    if not out.parent.is_dir():
        fail(f"{out}: there is no folder {out.parent}")
    try:
        calls = read_calls(exemplars)
        ear = Ear(SignalWords(load_tables(tables)))
        if len({call.author for call in calls}) < 2:
            fail(f"{exemplars}: calls of at least two authors are needed, a file each")
        console.print(f"{len(calls)} calls; making their vectors …")
        encoder = load_encoder(EmbeddingSettings())
    except (DataFileError, CannotStart) as error:
        fail(str(error))
    seen = looks(calls, ear, vectors_of(calls, encoder))
    if len({calls[one.call].author for one in seen}) < 2:
        fail(f"{exemplars}: the callers of at least two authors must say something")
    console.print(f"{len(seen)} looks; judging each author by what the others taught …")
    course = Course(calls, seen)
    with_vectors, words_only = course.judge(words_only=False), course.judge(words_only=True)
    kept = {
        name: round(value, 4) for name in KEPT if (value := with_vectors.figures[name]) is not None
    }
    about = About(version=digest(calls), embedding=encoder.id, calls=len(calls), figures=kept)
    console.print("learning from all …")
    everything = np.arange(len(seen))
    model = TypeModel(
        about,
        course.types.learn(everything),
        course.intakes.learn(course.of_looks(everything)),
        with_vectors.joint,
        words_only.joint,
        with_vectors.turning,
    )
    model.save(out)
    _print(with_vectors.figures, words_only.figures, len(calls))
    console.print(f"written: {out} ({out.stat().st_size / 1e6:.1f} MB)")


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What came of judging each author by the others."""

    joint: Joint
    turning: Array
    figures: Figures


class Course:
    """The calls, the lessons they teach, and how each author is judged by what others taught."""

    def __init__(self, calls: Sequence[LabelledCall], seen: Sequence[Seen]) -> None:
        self._calls = calls
        self._seen = seen
        authors = [calls[one.call].author for one in seen]
        order = {author: at % FOLDS for at, author in enumerate(sorted(set(authors)))}
        self._fold = np.array([order[author] for author in authors])
        self._manner = np.array([one.look.manner for one in seen])
        self._known = np.array([one.label for one in seen], dtype=np.intp)
        self.types = self._lesson(CALL_TYPES, GRAM_PLACES, VECTOR_PLACES)
        self.intakes = self._intake_lesson()
        self._types_read = self.types.judged_by_others(authors, FOLDS)
        spread = [authors[look] for look in self._owner]
        by_words, by_vectors = self.intakes.judged_by_others(spread, FOLDS)
        firsts = np.flatnonzero(np.diff(self._owner, prepend=-1))
        self._intakes_read = by_words[firsts], by_vectors[firsts]

    def of_looks(self, chosen: Indexes) -> Indexes:
        """The rows of the intake lesson that belong to these looks."""
        return np.flatnonzero(np.isin(self._owner, chosen))

    def judge(self, *, words_only: bool) -> Judgement:
        """Join the readings, learn what tells a turn, and count."""
        by_words, by_vectors = self._types_read
        manner = self._manner.copy()
        if words_only:
            manner[:, MANNER.index("again_meaning")] = 0.0
        numbers = type_numbers(by_words, None if words_only else by_vectors, manner)
        ones = np.ones(len(numbers), dtype=np.float32)
        joint_types, types = self._joined(numbers, self._known, ones, len(CALL_TYPES))
        by_words, by_vectors = self._intakes_read
        numbers = intake_numbers(by_words, None if words_only else by_vectors, types, manner)
        counts = self.intakes.weights
        joint_intakes, intakes = self._joined(
            numbers[self._owner], self.intakes.known, counts, len(INTAKES), self._owner
        )
        firsts = np.flatnonzero(np.diff(self._owner, prepend=-1))
        said = self._intakes_said(intakes[firsts])
        found = courses(self._calls, self._seen, np.exp(types))
        judged = []
        for number in range(FOLDS):
            others = [c for c in found if self._fold_of(c.seen) != number]
            turning = learn_turning(others)
            judged += [
                c.judged(turning, said[c.seen[0].call])
                for c in found
                if self._fold_of(c.seen) == number
            ]
        return Judgement(Joint(joint_types, joint_intakes), learn_turning(found), figures(judged))

    def _joined(
        self,
        numbers: Array,
        known: Indexes,
        counts: Array,
        labels: int,
        owner: Indexes | None = None,
    ) -> tuple[Array, Array]:
        """Weights learned from all, and log-probabilities by weights learned from others."""
        folds = self._fold if owner is None else self._fold[owner]
        shares = np.zeros((len(numbers), labels), dtype=np.float32)
        for number in range(FOLDS):
            judged = folds == number
            if judged.any():
                weights = _learn_joint(numbers[~judged], known[~judged], counts[~judged], labels)
                shares[judged] = joined(weights, numbers[judged])
        return _learn_joint(numbers, known, counts, labels), shares

    def _intakes_said(self, shares: Array) -> dict[int, Intake]:
        """The intake kind at the end of each call."""
        return {
            one.call: INTAKES[int(share.argmax())]
            for one, share in zip(self._seen, shares, strict=True)
        }

    def _fold_of(self, seen: Sequence[Seen]) -> int:
        return int(self._fold[self._seen.index(seen[0])])

    def _lesson(
        self, labels: tuple[str, ...], grams: Sequence[str], vectors: Sequence[str]
    ) -> Lesson:
        return Lesson(
            labels=labels,
            known=self._known,
            grams={place: [one.look.grams[place] for one in self._seen] for place in grams},
            vectors={place: rows(self._seen, place) for place in vectors},
            weights=np.ones(len(self._seen), dtype=np.float32),
            rarest=RAREST,
            firmness=FIRMNESS,
            vector_firmness=FIRMNESS,
            rounds=ROUNDS,
        )

    def _intake_lesson(self) -> Lesson:
        """A look counts once for each intake kind that is right for its call."""
        owner, known, weights = [], [], []
        for at, one in enumerate(self._seen):
            call = self._calls[one.call]
            others = [kind for kind in call.intake_accept if kind != call.intake]
            weight = ENDS if one.last else 1.0
            owner.append(at)
            known.append(INTAKES.index(call.intake))
            weights.append(weight * (MAIN if others else 1.0))
            for kind in others:
                owner.append(at)
                known.append(INTAKES.index(kind))
                weights.append(weight * (1 - MAIN) / len(others))
        self._owner = np.array(owner, dtype=np.intp)
        return Lesson(
            labels=INTAKES,
            known=np.array(known, dtype=np.intp),
            grams={p: [self._seen[at].look.grams[p] for at in owner] for p in INTAKE_GRAMS},
            vectors={p: rows(self._seen, p)[self._owner] for p in INTAKE_VECTORS},
            weights=np.array(weights, dtype=np.float32),
            rarest=RAREST,
            firmness=FIRMNESS,
            vector_firmness=FIRMNESS,
            rounds=ROUNDS,
        )


def _learn_joint(numbers: Array, known: Indexes, counts: Array, labels: int) -> Array:
    there = np.unique(known)
    weights = np.zeros((numbers.shape[1] + 1, labels), dtype=np.float32)
    weights[-1] = -20.0
    if len(there) == 1:
        # All are one: there is nothing to tell apart.
        weights[-1, there] = 0.0
        return weights
    learned, bias = fit(numbers, known, counts, JOINED_FIRMNESS, JOINED_ROUNDS)
    weights[:-1, there], weights[-1, there] = learned, bias
    return weights


def _print(with_vectors: Figures, words_only: Figures, calls: int) -> None:
    table = Table("", "", "without vectors", title=f"{calls} calls, judged by what others taught")
    for name in KEPT:
        cells = (with_vectors.get(name), words_only.get(name))
        table.add_row(name, *("–" if cell is None else f"{cell:.3f}" for cell in cells))
    Console().print(table)
