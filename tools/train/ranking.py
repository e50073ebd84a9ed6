"""Learn how much each witness of a match counts, and how sure they make it.

Learned from authors whose questions taught the model nothing: what the model makes of strangers is
what it will make of callers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from sklearn.linear_model import LogisticRegression

from services.knowledge.deciding.decide import Case, Judge
from services.knowledge.finding.background import read_background
from services.knowledge.finding.find import Finder, Heard, Similar
from services.knowledge.finding.points import points_of
from services.knowledge.finding.ranking import (
    SIGNS,
    WITNESSES,
    Evidence,
    Ranking,
    Weights,
    weighed,
)
from services.knowledge.finding.state import State
from services.knowledge.finding.words import Floats, Mask
from tools.evaluate.knowledge import Question
from tools.train.asked import DAY, Author

Vectors = npt.NDArray[np.float32]
Make = Callable[[Sequence[str]], Vectors]

FIRMNESS = 1e-3
LEAST, MOST = 0.2, 0.6
"""Between these lies the confidence from which cards are shown: where the share of questions that
are answered rightly and the share of those left alone that nothing answers are greatest together. A
wrong card costs what a missing one does."""
TAKEN_OUT_WEIGHS = 0.3
"""Every question is asked a second time of a base without the matter it means: nothing should be
shown. What such a case counts beside a written one."""
LISTED = 0.02
"""Share of the entries that are meant which may lie below what a search lists."""
START = Weights(
    witnesses=(0.3, 0.4, 0.08, 0.08, 0.06, 0.08),
    sure=(0.0,) * len(SIGNS),
    shown_from=0.5,
    listed_from=0.0,
)
SOFT = 40.0
"""Scale on which witnesses are weighed before they are brought to a sum of 1."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """A question as it was heard."""

    author: str
    question: Question
    text: str
    """As it was read."""
    heard: Heard
    by_words: Heard
    judge: Judge
    case: Case
    meant: int | None
    """Position of the entry; None where nothing answers."""
    group: tuple[int, ...]
    """That entry and those on its matter."""
    open: Mask
    """Entries that apply there and then."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came first for a question."""

    signs: Floats
    """In the order of SIGNS."""
    right: bool
    answered: bool
    """Whether an entry of the base answers it."""
    weight: float


def listen(author: Author, make: Make, ranking: Ranking) -> Iterator[Heeded]:
    """An author's questions, each as its last utterance or, where it is spread, as a whole."""
    background = read_background()
    entries = author.entries
    ids = {entry.id for entry in entries}
    state = State(author.regions, background).changed(ids, entries)
    places = {entry.id: place for place, entry in enumerate(state.entries)}
    finder = Finder(state.entries, background, ranking)
    points = [points_of(entry) for entry in state.entries]
    starts = np.cumsum([0, *(len(of) - 1 for of in points)])[:-1]
    wordings = make([point.text for of in points for point in of[:-1]])
    abouts = make([of[-1].text for of in points])
    lines = make(background.lines)
    judge = Judge(state.entries, author.regions, wordings[starts])
    top = next(name for name, parent in author.regions.parents.items() if parent is None)
    said = [_said(question) for question in author.questions]
    mended = [state.mend(text) for text in said]
    every = np.ones(len(entries), dtype=bool)
    for question, text, vector in zip(author.questions, mended, make(mended), strict=True):
        asked = np.maximum.reduceat(wordings @ vector, starts)
        similar = Similar(
            asked.astype(np.float64),
            (abouts @ vector).astype(np.float64),
            (lines @ vector).astype(np.float64),
        )
        case = Case(question.region or top, DAY)
        chain = author.regions.chain(case.region)
        expected = question.expect
        meant = places.get(expected.id or "") if expected and expected.kind != "none" else None
        group = () if meant is None else (meant, *judge.partners(meant, every))
        yield Heeded(
            author.name,
            question,
            text,
            finder.hear(text, similar),
            finder.hear(text, None),
            judge,
            case,
            meant,
            group,
            np.asarray([e.valid_on(DAY) and e.region in chain for e in state.entries]),
        )


def learn(heeded: Sequence[Heeded], version: str) -> tuple[Ranking, dict[str, float]]:
    """The numbers, and what they achieve on the questions they were fitted to."""
    expected = _expected(heeded)
    meaning, figures = _weights([(one, one.heard) for one in heeded], range(len(WITNESSES)))
    # Those of vectors say nothing by themselves there: they are made of the others.
    words, _ = _weights([(one, one.by_words) for one in heeded], range(2, len(WITNESSES)))
    return Ranking(version=version, meaning=meaning, words=words, expected=expected), figures


def _said(question: Question) -> str:
    if question.cat != "spread":
        return question.text
    return "，".join([*question.context[-3:], question.text])


def _expected(heeded: Sequence[Heeded]) -> tuple[float, ...]:
    rows = np.concatenate([one.heard.witnesses for one in heeded])
    known = np.column_stack([np.ones(len(rows)), rows[:, 2], rows[:, 3]])
    fitted = [np.linalg.lstsq(known, rows[:, which], rcond=None)[0] for which in (0, 1)]
    return tuple(round(float(number), 4) for number in np.concatenate(fitted))


def _weights(
    cases: Sequence[tuple[Heeded, Heard]], which: Sequence[int]
) -> tuple[Weights, dict[str, float]]:
    fitted = np.zeros(len(WITNESSES))
    fitted[np.asarray(which)] = _witnesses(cases, which)
    fitted /= fitted.sum()
    weights = replace_weights(START, witnesses=tuple(round(float(w), 4) for w in fitted))
    judged = [found for one, heard in cases for found in _judge(one, heard, weights)]
    rows = np.stack([j.signs for j in judged])
    right = np.asarray([j.right for j in judged])
    counts = np.asarray([j.weight for j in judged])
    spread = np.where(np.ptp(rows, axis=0) > 0, rows.std(axis=0), 1.0)
    logistic = LogisticRegression(C=10.0, max_iter=5000, fit_intercept=False)
    numbers = logistic.fit(rows / spread, right, counts).coef_[0] / spread
    sure = expit(rows @ numbers)
    written = counts == 1.0
    nothing = written & ~np.asarray([j.answered for j in judged])
    answered = written & ~nothing
    grid = np.arange(LEAST, MOST, 0.01)
    gained = [right[answered & (sure >= t)].sum() / answered.sum() for t in grid]
    spared = [(sure[nothing] < t).mean() for t in grid]
    shown_from = float(grid[np.add(gained, spared).argmax()])
    gold = [
        float(weighed(heard.witnesses, weights)[one.meant])
        for one, heard in cases
        if one.meant is not None
    ]
    done = replace_weights(
        weights,
        sure=tuple(round(float(number), 3) for number in numbers),
        shown_from=round(shown_from, 3),
        listed_from=round(float(np.quantile(gold, LISTED)), 3),
    )
    figures = {
        "first": float(right[answered].mean()),
        "shown and right": float((right & (sure >= done.shown_from))[answered].mean()),
        "left alone": float((sure < done.shown_from)[nothing].mean()),
        "calibration error": _calibration(sure[written], right[written]),
    }
    return done, figures


def replace_weights(weights: Weights, **numbers: object) -> Weights:
    """The weights with some of their numbers replaced."""
    return Weights.model_validate(weights.model_dump() | numbers)


def _witnesses(cases: Sequence[tuple[Heeded, Heard]], which: Sequence[int]) -> Floats:
    """Weights that make the entry which is meant, or one on its matter, likeliest among those that
    apply; none is negative."""
    taught = []
    for one, heard in cases:
        if one.meant is None:
            continue
        rows = heard.witnesses[one.open][:, np.asarray(which)]
        meant = np.isin(np.flatnonzero(one.open), one.group)
        taught.append((rows, meant))

    def loss(numbers: Floats) -> tuple[float, Floats]:
        total, slope = 0.0, np.zeros_like(numbers)
        for rows, meant in taught:
            scores = SOFT * rows @ numbers
            all_of, those = logsumexp(scores), logsumexp(scores[meant])
            total += all_of - those
            shares, among = np.exp(scores - all_of), np.exp(scores[meant] - those)
            slope += SOFT * (shares @ rows - among @ rows[meant])
        firm = FIRMNESS * SOFT * SOFT
        count = len(taught)
        return float(total / count + firm * numbers @ numbers / 2), slope / count + firm * numbers

    start = np.full(len(which), 1.0 / len(which))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(which))
    best: Floats = found.x
    return best


def _judge(one: Heeded, heard: Heard, weights: Weights) -> Iterator[Judged]:
    scores = weighed(heard.witnesses, weights)
    yield _first(one, heard, scores, weights, one.meant, 1.0)
    if one.meant is not None:
        without = scores.copy()
        without[list(one.group)] = -1.0
        yield _first(one, heard, without, weights, None, TAKEN_OUT_WEIGHS)


def _first(
    one: Heeded, heard: Heard, scores: Floats, weights: Weights, meant: int | None, weight: float
) -> Judged:
    evidence = Evidence(
        scores, heard.talk, heard.other, heard.witnesses[:, 0], len(one.text), weights
    )
    rulings = one.judge.rulings(evidence, one.case, most=3)
    if not rulings:
        return Judged(np.zeros(len(SIGNS)), False, meant is not None, weight)
    first = rulings[0]
    expected = one.question.expect
    right = meant is not None and expected is not None and first.source.entry_id == expected.id
    return Judged(first.signs, right, meant is not None, weight)


def _calibration(sure: Floats, right: Mask) -> float:
    """Expected calibration error over ten bins."""
    bins = np.minimum((sure * 10).astype(int), 9)
    return float(
        sum(
            abs(sure[bins == i].mean() - right[bins == i].mean()) * (bins == i).mean()
            for i in range(10)
            if (bins == i).any()
        )
    )
