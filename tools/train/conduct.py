"""`banxi train conduct`: learn the meaning head from the exemplars.

Each author's sentences are judged by a head that learned from the other authors alone: from these
judgements come the weights of the joined decision and the figures that are printed, so both tell
what to expect of speakers that nobody wrote down.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from services.common.datafiles import DataFileError
from services.common.grams import grams
from services.common.written import read
from services.conduct.books import DATA, load_phrases
from services.conduct.phrases.book import PhraseBook
from services.conduct.phrases.detector import evidence, readings
from services.conduct.phrases.meaning import FEWEST_GRAMS, About, Array, Head
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.evaluate.report import fail
from tools.train.exemplars import Exemplar, digest, read_exemplars

FOLDS = 5
RAREST = 3
"""Grams that stand in fewer exemplars are left out."""
FIRMNESS = 10.0
VECTOR_FIRMNESS = 30.0
"""How closely the readings follow the exemplars (inverse of the regularisation)."""
VECTOR_SHARE = 0.4
ROUNDS = 100
BATCH = 32
TUNED_ON = ("author-01", "author-02", "author-03", "author-04")
PLAIN = frozenset({"plain", "question", "required"})
"""Kinds of innocent exemplars of which each part is innocent too."""

console = Console(stderr=True)
Rows = npt.NDArray[np.float32]


def conduct(
    exemplars: Annotated[
        Path, typer.Option(help="Folder of tables: rule,kind,before,text,words.")
    ] = DATA / "exemplars",
    phrases: Annotated[
        Path | None, typer.Option(help="Phrase file in place of the one of the service.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the head.")] = DATA / "meaning.npz",
    tuned_on: Annotated[
        list[str] | None,
        typer.Option(help="Author on whose lines the phrase file was tuned; may be repeated."),
    ] = None,
    false_alarms: Annotated[
        float, typer.Option(min=0.0001, max=0.1, help="Share of innocent utterances that may fire.")
    ] = 0.008,
) -> None:
    """Learn what forbidden phrases mean from exemplar sentences, and write the meaning head.

    Takes some minutes. A site adds tables of its own sentences to a copy of the folder, trains, and
    names the result in BANXI_CONDUCT__MEANING. Give every author a table of their own: whether a
    head generalises is measured from author to author.
    """
    try:
        book = load_phrases(phrases)
        found = read_exemplars(exemplars, frozenset(book.rules))
    except DataFileError as error:
        fail(str(error))
    # Matching looks too good on authors it was tuned on: they have no say in the joined decision.
    tuned = frozenset(TUNED_ON if tuned_on is None else tuned_on)
    fair = np.array([one.author not in tuned for one in found])
    offences = np.array([bool(one.rule) for one in found])
    if len({one.author for one in found} - tuned) < 2:
        fail(f"{exemplars}: exemplars of at least two authors are needed, a table each")
    if len(set(offences[fair])) < 2:
        fail(f"{exemplars}: offences are needed, and lines in which nothing is wrong")
    if not out.parent.is_dir():
        fail(f"{out}: there is no folder {out.parent}")
    console.print(f"{len(found)} exemplars; making their vectors …")
    encoder = load_encoder(EmbeddingSettings())
    vectors = np.concatenate(
        [
            encoder.embed([one.text for one in found[at : at + BATCH]], "query")
            for at in range(0, len(found), BATCH)
        ]
    )
    lesson = Lesson(found, vectors, book, encoder.id, digest(found))
    console.print("judging each author by what the others taught …")
    with_vector, words_only = lesson.judged_by_others()
    joint = _joined(with_vector[fair], offences[fair], false_alarms)
    joint_words = _joined(words_only[fair], offences[fair], false_alarms)
    console.print("learning from all …")
    lesson.head(np.arange(len(found)), joint, joint_words).save(out)
    _print(
        [one for one, is_fair in zip(found, fair, strict=True) if is_fair],
        with_vector[fair] @ np.array(joint) >= 0,
        words_only[fair] @ np.array(joint_words) >= 0,
    )
    console.print(f"written: {out} ({out.stat().st_size / 1e6:.1f} MB)")


class Lesson:
    """Exemplars with what is read off them."""

    def __init__(
        self,
        exemplars: Sequence[Exemplar],
        vectors: Rows,
        book: PhraseBook,
        embedding: str,
        version: str,
    ) -> None:
        self._exemplars = exemplars
        self._vectors = vectors
        self._book = book
        self._embedding = embedding
        self._version = version
        self._rules = tuple(sorted({one.rule for one in exemplars if one.rule}))
        none = len(self._rules)
        self._labels = np.array(
            [self._rules.index(one.rule) if one.rule else none for one in exemplars]
        )
        texts = [
            (at, text) for at, one in enumerate(exemplars) for text in (one.text, *_parts(one))
        ]
        self._owners = np.array([at for at, _ in texts])
        self._grams = [{gram for gram, _, _ in grams(read(text))} for _, text in texts]

    def head(
        self, chosen: npt.NDArray[np.intp], joint: Sequence[float], joint_words: Sequence[float]
    ) -> Head:
        """A head that learned from the exemplars with these indexes."""
        texts = np.flatnonzero(np.isin(self._owners, chosen))
        counted = Counter(gram for at in texts for gram in self._grams[at])
        vocabulary = sorted(gram for gram, count in counted.items() if count >= RAREST)
        known = self._labels[self._owners[texts]]
        weights, bias = self._fit(self._matrix(texts, vocabulary), known, FIRMNESS)
        labels = self._labels[chosen]
        centre = self._vectors[chosen].mean(axis=0)
        away = self._vectors[chosen] - centre
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        vector_weights, vector_bias = self._fit(away, labels, VECTOR_FIRMNESS)
        about = About(
            version=self._version,
            embedding=self._embedding,
            rules=self._rules,
            vector_share=VECTOR_SHARE,
            wordings=tuple(w for rule in self._book.rules.values() for w in rule.wordings),
            joint=tuple(joint),
            joint_words=tuple(joint_words),
        )
        return Head(about, vocabulary, weights, bias, centre, vector_weights, vector_bias)

    def judged_by_others(self) -> tuple[Rows, Rows]:
        """What the joined decision would weigh for each exemplar, with its vector and without, by
        heads that learned from other authors."""
        authors = sorted({one.author for one in self._exemplars})
        fold = {author: number % FOLDS for number, author in enumerate(authors)}
        folds = np.array([fold[one.author] for one in self._exemplars])
        looks = [self._book.look(one.text, one.before) for one in self._exemplars]
        with_vector: list[Any] = [None] * len(looks)
        words_only: list[Any] = [None] * len(looks)
        for number in sorted(set(fold.values())):
            head = self.head(np.flatnonzero(folds != number), (), ())
            for at in map(int, np.flatnonzero(folds == number)):
                one, text = self._exemplars[at], read(self._exemplars[at].text)
                found = readings(head, looks[at], text, one.before, self._vectors[at])
                with_vector[at] = evidence(looks[at], found)
                found = replace(found, whole=head.read(text))
                words_only[at] = evidence(looks[at], found)
        return np.array(with_vector, dtype=np.float32), np.array(words_only, dtype=np.float32)

    def _matrix(self, chosen: npt.NDArray[np.intp], vocabulary: Sequence[str]) -> Any:
        index = {gram: column for column, gram in enumerate(vocabulary)}
        columns = [[index[g] for g in self._grams[at] if g in index] for at in chosen]
        ends = np.cumsum([0, *(len(row) for row in columns)])
        scale = [max(len(row), FEWEST_GRAMS) ** -0.5 for row in columns]
        return sparse.csr_matrix(
            (
                np.repeat(np.array(scale, dtype=np.float32), np.diff(ends)),
                [column for row in columns for column in row],
                ends,
            ),
            shape=(len(chosen), len(vocabulary)),
        )

    def _fit(
        self, features: Any, labels: npt.NDArray[np.intp], firmness: float
    ) -> tuple[Array, Array]:
        """Weights and bias, one column a rule and the last for none."""
        classes = len(self._rules) + 1
        weights = np.zeros((features.shape[1], classes), dtype=np.float32)
        bias = np.full(classes, -20.0, dtype=np.float32)
        known = np.unique(labels)
        if len(known) == 1:
            bias[known] = 0.0
            return weights, bias
        with warnings.catch_warnings():
            # It stops after ROUNDS by our own will.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=firmness, max_iter=ROUNDS).fit(features, labels)
        learned, constants = model.coef_, model.intercept_
        if len(known) == 2:
            # Of two classes sklearn gives only what speaks for the second.
            learned = np.concatenate([-learned, learned]) / 2
            constants = np.concatenate([-constants, constants]) / 2
        weights[:, known] = learned.T
        bias[known] = constants
        return weights, bias


def _parts(one: Exemplar) -> list[str]:
    """Parts of an exemplar that are labelled as it is: of an offence the very words, of ordinary
    speech each breath. So the head learns short texts, and to find an offence in a long one."""
    if one.rule:
        inside = one.words and one.words != one.text and one.words in one.text
        return [one.words] if inside else []
    if one.kind not in PLAIN:
        return []
    parts = [part for part in re.split(r"[，,。？！\s]+", one.text) if part]
    return parts if len(parts) > 1 else []


def _joined(evidence: Rows, offences: npt.NDArray[np.bool_], false_alarms: float) -> list[float]:
    """Weights of the joined decision: fires at 0, at the wanted share of innocent utterances."""
    model = LogisticRegression(C=1.0, max_iter=500).fit(evidence[:, :-1], offences)
    weights = [float(weight) for weight in model.coef_[0]]
    scores = evidence[:, :-1] @ np.array(weights)
    threshold = float(np.quantile(scores[~offences], 1 - false_alarms))
    return [*(round(weight, 4) for weight in weights), round(-threshold, 4)]


def _print(
    exemplars: Sequence[Exemplar], fired: npt.NDArray[np.bool_], by_words: npt.NDArray[np.bool_]
) -> None:
    table = Table("kind", "n", "fired", "without vector", title="Judged by what others taught")
    kinds = Counter((not one.rule, one.kind) for one in exemplars)
    for (innocent, kind), count in sorted(kinds.items()):
        these = np.array([(not o.rule, o.kind) == (innocent, kind) for o in exemplars])
        name = f"{kind} (innocent)" if innocent else kind
        table.add_row(
            name, str(count), f"{fired[these].mean():.3f}", f"{by_words[these].mean():.3f}"
        )
    for name, these in (
        ("all offences", np.array([bool(one.rule) for one in exemplars])),
        ("all innocent", np.array([not one.rule for one in exemplars])),
    ):
        table.add_row(
            name, str(these.sum()), f"{fired[these].mean():.3f}", f"{by_words[these].mean():.3f}"
        )
    Console().print(table)
