"""`banxi train situations`: learn the moments that need wording from labelled ones.

Each author's moments are judged by a head that learned from the other authors alone. From these
judgements come the joined decision, its calibration and the figures that are printed. So the
readings are those of strangers, but the handful of numbers that join them were fitted to the same
judgements: how many of the moments that are none are called something is chosen (`FALSE`), not
found. Unbiased figures come from `banxi eval situations` on data of other authors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize
from scipy.special import logsumexp

from services.call_type.situations.book import Book, load_book
from services.call_type.situations.look import GRAM_PLACES, VECTOR_PLACES, Look, SignalWords, look
from services.call_type.situations.recogniser import (
    HEAD,
    NONE,
    PACKAGED,
    About,
    Joint,
    decide,
    joined,
)
from services.common.datafiles import DataFileError
from services.common.failure import CannotStart
from services.common.heads import Array, save_heads
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.evaluate.report import fail
from tools.evaluate.situations import Judged, figures, seen, texts, vectors_of
from tools.misheard import misheard
from tools.train.dialogues import LabelledMoment, digest, read_moments
from tools.train.linear import Lesson

EXEMPLARS = PACKAGED.parent / "exemplars"
FOLDS = 7
MISHEARD = 0.15
"""Share of the characters of a copy that are misheard: every exemplar is learned a second time as a
telephone line may bring it, without what came before."""
COPIES_WEIGH = 0.5
FIRMNESS = 30.0
VECTOR_FIRMNESS = 30.0
ROUNDS = 100
RAREST = {"signs": 1}
BATCH = 32
FALSE = 0.03
"""Share of moments that are none which may be called something. Half of what a hotline bears:
unseen callers come closer to a situation than those written down."""

console = Console(stderr=True)
Labels = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def situations(
    exemplars: Annotated[
        Path, typer.Option(help="Folder of labelled moments: moments-NAME.jsonl, one an author.")
    ] = EXEMPLARS,
    table: Annotated[
        Path | None, typer.Option(help="situations.yaml in place of the one of the service.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the head.")] = PACKAGED,
) -> None:
    """Learn to recognise the moments that need wording at once, and write the head.

    Takes a few minutes. A line is a moment as for `banxi eval situations`, with its label. A site
    adds files of its own moments to a copy of the folder, trains, and names the result in
    BANXI_CALL_TYPE__SITUATIONS. Give every author a file of their own: whether a head generalises
    is measured from author to author.
    """
    try:
        book = load_book(table)
        moments = read_moments(exemplars, frozenset(book.by_id))
    except DataFileError as error:
        fail(str(error))
    if len({one.author for one in moments}) < 2:
        fail(f"{exemplars}: moments of at least two authors are needed, a file each")
    if not {NONE} < {one.expect for one in moments}:
        fail(f"{exemplars}: moments of situations are needed, and moments that are none")
    if not out.parent.is_dir():
        fail(f"{out}: there is no folder {out.parent}")
    console.print(f"{len(moments)} moments; making their vectors …")
    try:
        school = School(moments, book)
    except CannotStart as error:
        fail(str(error))
    console.print("judging each author by what the others taught …")
    about, judged = school.judged_by_others()
    console.print("learning from all …")
    lesson = school.lesson
    head = lesson.learn(np.arange(len(lesson.known)))
    save_heads(out, about, {HEAD: head}, {})
    _print(judged, about)
    console.print(f"written: {out} ({out.stat().st_size / 1e6:.1f} MB)")


class School:
    """Moments and their misheard copies, ready to be learned from."""

    def __init__(self, moments: Sequence[LabelledMoment], book: Book) -> None:
        self.moments = moments
        self.labels = (*book.by_id, NONE)
        copies = [copy for one in moments if (copy := _misheard(one))]
        self._all = [*moments, *copies]
        encoder = load_encoder(EmbeddingSettings())
        self._embedding = encoder.id
        vectors = vectors_of(encoder, texts(self._all))
        signals = SignalWords(book.table.situations)
        looks = [look(seen(one, vectors), signals) for one in self._all]
        self._heard: Flags = np.array([bool(one.turns[-1].text.strip()) for one in self._all])
        weights = np.where(np.arange(len(self._all)) < len(moments), 1.0, COPIES_WEIGH)
        self.lesson = Lesson(
            labels=self.labels,
            known=np.array([self.labels.index(one.expect) for one in self._all]),
            grams={place: [one.grams[place] for one in looks] for place in GRAM_PLACES},
            vectors={place: _rows(looks, place, encoder.dimension) for place in VECTOR_PLACES},
            weights=weights.astype(np.float32),
            rarest=RAREST,
            firmness=FIRMNESS,
            vector_firmness=VECTOR_FIRMNESS,
            rounds=ROUNDS,
        )

    def judged_by_others(self) -> tuple[About, dict[str, list[Judged]]]:
        """The joined decision, and the judgements it rests on: of the moments as they are, of their
        misheard copies, and of the former by words alone."""
        lesson, none = self.lesson, self.labels.index(NONE)
        authors = [one.author for one in self._all]
        words, meaning = lesson.judged_by_others(authors, min(FOLDS, len(set(authors))))
        heard, known, weights = self._heard, lesson.known, lesson.weights
        joint = _fit(words[heard], meaning[heard], known[heard], weights[heard], none)
        joint_words = _fit(words, np.zeros_like(words), known, weights, none)
        count = len(self.moments)
        as_they_are = np.arange(len(self._all)) < count
        joint = self._let_pass(joint, words, meaning, as_they_are & heard)
        joint_words = self._let_pass(joint_words, words, np.zeros_like(meaning), as_they_are)

        def judged(rows: range, *, with_vectors: bool) -> list[Judged]:
            return [
                self._judged(at, joint, words[at], meaning[at])
                if with_vectors and heard[at]
                else self._judged(at, joint_words, words[at], np.zeros_like(meaning[at]))
                for at in rows
            ]

        every = {
            "with vectors": judged(range(count), with_vectors=True),
            "misheard copies": judged(range(count, len(self._all)), with_vectors=True),
            "by words alone": judged(range(count), with_vectors=False),
        }
        told = figures(every["with vectors"])
        about = About(
            version=digest(self.moments),
            embedding=self._embedding,
            joint=joint,
            joint_words=joint_words,
            figures={name: round(value or 0.0, 4) for name, value in told.items()},
        )
        return about, every

    def _judged(self, at: int, joint: Joint, words: Array, meaning: Array) -> Judged:
        none = self.labels.index(NONE)
        label, certain = decide(joint, joined(joint, words, meaning, none), none)
        return Judged(self._all[at], self.labels[label], certain)

    def _let_pass(self, joint: Joint, words: Array, meaning: Array, chosen: Flags) -> Joint:
        """With the bound at which so many of the chosen that are none pass for something."""
        none = self.labels.index(NONE)
        innocent = chosen & (self.lesson.known == none)
        shares = joined(joint, words[innocent], meaning[innocent], none)[:, none]
        least = float(np.quantile(1 - shares, 1 - FALSE))
        return joint.model_copy(update={"least": round(least, 4)})


def _fit(words: Array, meaning: Array, known: Labels, weights: Array, none: int) -> Joint:
    """The weights under which the joined log-odds tell the probability best."""
    with_meaning = bool(meaning.any())
    # Slopes are felt for in steps far below what the heads' own numbers can tell apart.
    words, meaning = words.astype(np.float64), meaning.astype(np.float64)

    def loss(numbers: npt.NDArray[Any]) -> float:
        logits = numbers[0] * words + (numbers[1] * meaning if with_meaning else 0)
        logits[:, none] += numbers[2]
        told = (logits - logsumexp(logits, axis=1, keepdims=True))[np.arange(len(known)), known]
        return -float((told * weights).sum() / weights.sum())

    start = np.array([1.0, 0.5 if with_meaning else 0.0, 0.0])
    found = minimize(loss, start, method="BFGS").x
    return Joint(
        words=round(float(found[0]), 3),
        meaning=round(float(found[1]), 3) if with_meaning else 0.0,
        none=round(float(found[2]), 3),
        least=0.5,
    )


def _misheard(one: LabelledMoment) -> LabelledMoment | None:
    """The moment's last turn alone, as a telephone line may bring it: what came before it must not
    count for too much. None where nothing was said."""
    last = one.turns[-1]
    if not last.text.strip():
        return None
    text = misheard(last.text, MISHEARD, seed=1)
    return one.model_copy(update={"turns": (last.model_copy(update={"text": text}),)})


def _rows(looks: Sequence[Look], place: str, dimension: int) -> Array:
    rows = np.zeros((len(looks), dimension), dtype=np.float32)
    for at, one in enumerate(looks):
        vector = one.vectors[place]
        if vector is not None:
            rows[at] = vector
    return rows


def _print(judged: dict[str, list[Judged]], about: About) -> None:
    each = Table("situation", "n", "found", "false", title="By situation", title_justify="left")
    pairs = [(one.expected, one.said) for one in judged["with vectors"]]
    for name in sorted({name for pair in pairs for name in pair}):
        count = sum(expected == name for expected, _ in pairs)
        found = sum(expected == said == name for expected, said in pairs)
        false = sum(said == name != expected for expected, said in pairs)
        each.add_row(name, str(count), f"{found / count:.2f}" if count else "-", str(false))
    worst = Table("expected", "said", "n", title="The worst pairs", title_justify="left")
    confused = Counter(pair for pair in pairs if pair[0] != pair[1])
    for (expected, said), count in sorted(confused.items(), key=lambda one: (-one[1], one[0]))[:15]:
        worst.add_row(expected, said, str(count))
    told = {name: figures(one) for name, one in judged.items()}
    names = list(told["with vectors"])
    title = "Judged by what others taught"
    table = Table("", *names, title=title, title_justify="left")
    for name, values in told.items():
        cells = (values[figure] for figure in names)
        table.add_row(name, *("-" if value is None else f"{value:.3f}" for value in cells))
    for part in (each, worst, table):
        Console().print(part)
    Console().print(f"version {about.version}, for vectors of {about.embedding}")
