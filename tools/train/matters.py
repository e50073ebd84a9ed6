"""Teach the upper layers of the built-in model what callers mean (low-rank additions, torch, CPU).

A batch is a handful of one author's questions, the entries they mean, and those entries that the
model so far takes for them: it learns to tell them apart. In the last round "nothing of these" is
one more choice, right for questions that nothing answers and for some whose entry is taken out, so
that a likeness comes to mean the same for every question. The lower layers stay as they are, so
their states are made once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from services.embedding.matters import BEFORE, BUILT_IN, LONGEST, VERSION
from services.embedding.network import Entrance, Layer, pooled
from services.embedding.pieces import Cutter
from services.embedding.weights import Weights
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import read_background
from services.knowledge.finding.points import points_of
from tools.evaluate.knowledge import Question
from tools.train.asked import DAY, Author

KEPT_LAYERS = 4
"""Lower layers that stay as they are."""
RANK = 32
STRENGTH = 2.0
ROUNDS, RATE = 4, 7e-4
LAST_ROUNDS, LAST_RATE = 1, 3e-4
"""With "nothing of these" as a choice."""
TAKEN_OUT = 0.2
"""Share of the questions whose entry is taken out then."""
QUESTIONS, RIVALS = 40, 24
"""Questions of a batch, and entries beside those they mean."""
ABOUT_WEIGHS = 0.6
"""What the entry as a whole counts beside its nearest wording."""
ABOUT_READ = 0.4
"""Share of the batches that also read the entries as a whole, which are most of the reading."""
SHARPNESS = 20.0
MOVED_BY = 0.15
"""Share of the questions that are given after a line of talk, as a caller who talks first."""
SEED = 7

NOTHING = -1

Say = Callable[[str], None]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class Thin(nn.Module):
    """A matrix, and the product of two thin ones that learns beside it."""

    def __init__(self, matrix: nn.Linear) -> None:
        super().__init__()
        self.matrix = matrix.requires_grad_(False)
        outputs, inputs = matrix.weight.shape
        self.A = nn.Parameter(torch.randn(RANK, inputs) / math.sqrt(inputs))
        self.B = nn.Parameter(torch.zeros(outputs, RANK))

    def forward(self, states: Tensor) -> Tensor:
        """As the matrix alone would, and what was learned."""
        made: Tensor = self.matrix(states) + (states @ self.A.T) @ self.B.T * STRENGTH
        return made


@dataclass(frozen=True, slots=True)
class Lesson:
    """One author's base and questions, as they are learned from."""

    name: str
    wordings: tuple[tuple[str, ...], ...]
    """Per entry: the question, then its other wordings."""
    abouts: tuple[str, ...]
    """Per entry: the entry as a whole."""
    texts: tuple[str, ...]
    """Per question: what is asked, with what was said before where it needs that."""
    meant: Rows
    """Per question: the entry, or NOTHING."""
    open: Flags
    """Per question and entry: whether the entry applies there and then."""


def lesson(author: Author) -> Lesson:
    """What can be learned from an author."""
    points = [points_of(entry) for entry in author.entries]
    places = {entry.id: number for number, entry in enumerate(author.entries)}
    top = next(name for name, parent in author.regions.parents.items() if parent is None)
    asked = author.questions
    chains = [author.regions.chain(q.region or top) for q in asked]
    return Lesson(
        author.name,
        tuple(tuple(point.text for point in of[:-1]) for of in points),
        tuple(of[-1].text for of in points),
        tuple("，".join([*q.context[-3:], q.text]) if q.cat == "spread" else q.text for q in asked),
        np.asarray([_meant(q, places) for q in asked]),
        np.asarray([[_applies(e, chain) for e in author.entries] for chain in chains]),
    )


def _meant(question: Question, places: Mapping[str, int]) -> int:
    expected = question.expect
    if expected is None or expected.kind == "none" or expected.id is None:
        return NOTHING
    return places[expected.id]


def _applies(entry: Entry, chain: Sequence[str]) -> bool:
    return entry.valid_on(DAY) and entry.region in chain


class Teacher:
    """The model while it learns."""

    def __init__(self, say: Say, *, short_floats: bool = False) -> None:
        """`short_floats`: reckon in bfloat16, much faster where the processor knows it."""
        torch.manual_seed(SEED)
        self._short = short_floats
        self._chance = np.random.default_rng(SEED)
        self._say = say
        weights = Weights(BUILT_IN)
        self._cutter = Cutter(weights.vocabulary())
        self._entrance = Entrance(weights)
        layers = [Layer(weights, number) for number in range(weights.shape.layers)]
        self._lower = layers[:KEPT_LAYERS]
        self._upper = nn.ModuleList(layers[KEPT_LAYERS:])
        for layer in self._upper:
            layer.requires_grad_(False)
            for name in Layer.MATRICES:
                setattr(layer, name, Thin(layer.get_submodule(name)))  # type: ignore[arg-type]
            for name in Layer.NORMS:
                layer.get_submodule(name).requires_grad_(True)
        # About where the score of an entry that is meant lies at the beginning.
        self._nothing = nn.Parameter(torch.tensor(0.9))
        self._states: dict[str, Tensor] = {}
        self._talk = read_background().talk

    def go_on(self, path: Path) -> None:
        """Begin with what was learned before, as `save` wrote it. Raises ValueError where that
        learned other layers or more than fits."""
        with np.load(path, allow_pickle=False) as file:
            parts = {name: torch.from_numpy(file[name]) for name in file.files if name != VERSION}
        layers = range(KEPT_LAYERS, KEPT_LAYERS + len(self._upper))
        try:
            for name, part in parts.items():
                place, module, kind = name.split(".")
                layer = self._upper[layers.index(int(place[1:]))]
                learning = layer.get_submodule(module)
                if kind in "AB":
                    thin = part.float() / (STRENGTH if kind == "B" else 1.0)
                    number = learning.get_parameter(kind).data
                    number[: thin.shape[0], : thin.shape[1]] = thin
                else:
                    learning.get_parameter("weight" if kind == "w" else "bias").data.copy_(part)
        except (ValueError, IndexError, AttributeError, RuntimeError) as error:
            raise ValueError(f"{path}: nothing that could be gone on with ({error})") from None

    def learn(self, lessons: Sequence[Lesson], rested: Callable[[], None] = lambda: None) -> None:
        """Learn from some authors. `rested` is called after each round."""
        self._practise(lessons, ROUNDS, RATE, False, rested)
        self._practise(lessons, LAST_ROUNDS, LAST_RATE, True, rested)

    def _practise(
        self,
        lessons: Sequence[Lesson],
        rounds: int,
        rate: float,
        nothing: bool,
        rested: Callable[[], None],
    ) -> None:
        learning = [p for p in (*self._upper.parameters(), self._nothing) if p.requires_grad]
        optimiser = torch.optim.AdamW(learning, lr=rate, weight_decay=0.01)
        steps = rounds * len(list(self._batches(lessons, nothing)))
        pace = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, rate, total_steps=steps, pct_start=0.15
        )
        done, lost = 0, 0.0
        for _ in range(rounds):
            rivals = {one.name: self._rivals(one) for one in lessons}
            self._upper.train()
            for one, chosen in self._batches(lessons, nothing):
                loss = self._loss(one, chosen, rivals[one.name], nothing)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(learning, 1.0)
                optimiser.step()
                pace.step()
                done, lost = done + 1, lost + loss.item()
                if done % 25 == 0:
                    self._say(f"step {done} of {steps}, loss {lost / 25:.2f}")
                    lost = 0.0
            rested()

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> Vectors:
        """One row a text, by what was learned so far."""
        self._upper.eval()
        made: Vectors = np.zeros((len(texts), len(self._entrance.norm.weight)), dtype=np.float32)
        self._prepare(texts)
        order = sorted(range(len(texts)), key=lambda i: len(self._states[texts[i]]))
        for start in range(0, len(order), 64):
            some = order[start : start + 64]
            made[some] = self._vectors([texts[i] for i in some]).numpy()
        return made

    def save(self, path: Path, version: str) -> None:
        """Write what was learned, in half precision."""
        parts: dict[str, npt.NDArray[np.generic]] = {VERSION: np.asarray(version)}
        for number, layer in enumerate(self._upper, start=KEPT_LAYERS):
            for name in Layer.MATRICES:
                thin = layer.get_submodule(name)
                for part, factor in (("A", 1.0), ("B", STRENGTH)):
                    learned = thin.get_parameter(part).detach() * factor
                    parts[f"l{number}.{name}.{part}"] = learned.half().numpy()
            for name in Layer.NORMS:
                for part, kind in (("weight", "w"), ("bias", "b")):
                    number_of = layer.get_submodule(name).get_parameter(part).detach()
                    parts[f"l{number}.{name}.{kind}"] = number_of.numpy()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, allow_pickle=False, **parts)

    def _batches(self, lessons: Sequence[Lesson], nothing: bool) -> Iterator[tuple[Lesson, Rows]]:
        batches = []
        for one in lessons:
            asked = np.arange(len(one.texts)) if nothing else np.flatnonzero(one.meant != NOTHING)
            order = self._chance.permutation(asked)
            batches += [(one, order[i : i + QUESTIONS]) for i in range(0, len(order), QUESTIONS)]
        for number in self._chance.permutation(len(batches)):
            yield batches[number]

    def _loss(self, one: Lesson, chosen: Rows, rivals: Rows, nothing: bool) -> Tensor:
        meant = one.meant[chosen].copy()
        near = np.setdiff1d(rivals[chosen], meant)
        several = dict.fromkeys(meant[meant != NOTHING].tolist())
        entries = [*several, *self._chance.permutation(near)[:RIVALS]]
        wordings, owners = [], []
        for place, entry in enumerate(entries):
            first, *others = one.wordings[entry]
            some = [first, others[self._chance.integers(len(others))]] if others else [first]
            wordings += some
            owners += [place] * len(some)
        asked = self._vectors([self._moved(one.texts[i]) for i in chosen])
        scores = torch.full((len(chosen), len(entries)), -9.0).scatter_reduce(
            1,
            torch.tensor(owners).expand(len(chosen), -1),
            asked @ self._vectors(wordings).T,
            "amax",
            include_self=False,
        )
        if self._chance.random() < ABOUT_READ:
            about = self._vectors([one.abouts[entry] for entry in entries])
            scores = SHARPNESS * (scores + ABOUT_WEIGHS * asked @ about.T)
        else:
            scores = SHARPNESS * (1 + ABOUT_WEIGHS) * scores
        open_ = one.open[np.ix_(chosen, entries)]
        places = {entry: place for place, entry in enumerate(entries)}
        if nothing:
            for row in np.flatnonzero(self._chance.random(len(chosen)) < TAKEN_OUT):
                title = one.wordings[meant[row]][0] if meant[row] != NOTHING else ""
                for entry, place in places.items():
                    open_[row, place] &= one.wordings[entry][0] != title
                meant[row] = NOTHING
            places[NOTHING] = len(entries)
            none = (SHARPNESS * self._nothing).expand(len(chosen), 1)
            scores = torch.cat([scores, none], dim=1)
            open_ = np.column_stack([open_, np.ones(len(chosen), dtype=bool)])
        scores = scores.masked_fill(torch.from_numpy(~open_), -1e4)
        return nn.functional.cross_entropy(
            scores, torch.tensor([places[entry] for entry in meant.tolist()])
        )

    def _rivals(self, one: Lesson) -> Rows:
        """The entries that the model so far takes for the one that is meant; per question."""
        wordings = [text for texts in one.wordings for text in texts]
        starts = np.cumsum([0, *map(len, one.wordings)])[:-1]
        near = self.vectors(one.texts) @ self.vectors(wordings).T
        scores = np.maximum.reduceat(near, starts, axis=1)
        nearest: Rows = np.argsort(-np.where(one.open, scores, -9.0), axis=1)[:, :8]
        return nearest

    def _moved(self, text: str) -> str:
        if self._chance.random() >= MOVED_BY:
            return text
        talk = self._talk[self._chance.integers(len(self._talk))]
        self._prepare([f"{talk}，{text}"])
        return f"{talk}，{text}"

    def _vectors(self, texts: Sequence[str]) -> Tensor:
        self._prepare(texts)
        kept = [self._states[text] for text in texts]
        states = nn.utils.rnn.pad_sequence([one.float() for one in kept], batch_first=True)
        lengths = torch.tensor([len(one) for one in kept])
        mask = torch.arange(states.shape[1])[None] < lengths[:, None]
        return pooled(self._through(self._upper, states, mask), mask)

    @torch.no_grad()
    def _prepare(self, texts: Sequence[str]) -> None:
        """Make the states of texts that are not known yet."""
        new = [text for text in dict.fromkeys(texts) if text not in self._states]
        cuts = {text: self._cutter.cut(BEFORE + text, LONGEST) for text in new}
        new.sort(key=lambda text: len(cuts[text]))
        for start in range(0, len(new), 64):
            some = new[start : start + 64]
            states, mask = self._entrance([cuts[text] for text in some])
            states = self._through(self._lower, states.clone(), mask)
            for row, text in enumerate(some):
                self._states[text] = states[row, : len(cuts[text])].half().clone()

    def _through(self, layers: Iterable[nn.Module], states: Tensor, mask: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._short):
            if self._short:
                states = states.bfloat16()
            for layer in layers:
                states = layer(states, mask)
        return states.float()
