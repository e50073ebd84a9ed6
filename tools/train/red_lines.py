"""`banxi train red-lines`: learn what serious matters sound like from labelled lines.

Each author's lines are judged by a head that learned from the other authors alone. From these
judgements come the thresholds and the figures that are printed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table

from services.common.datafiles import DataFileError
from services.common.grams import grams
from services.common.heads import Array
from services.common.settings import load
from services.common.written import read as read_text
from services.escalation.files import read
from services.escalation.red_lines import REACH, RedLines
from services.escalation.settings import DATA, Settings
from services.escalation.witness import NONE, PLACE, About, Witness, suspected
from tools.evaluate.red_lines import Utterance
from tools.evaluate.report import fail, read_jsonl
from tools.train.linear import Lesson

EXEMPLARS = DATA / "exemplars"
FOLDS = 3
RAREST = 2
FIRMNESS = 10.0
TALK = "talk"
"""Files of ordinary talk begin with it."""
TALK_SHARE = 0.4
"""How much rarer than near misses ordinary talk may fire: there is so much more of it."""
PLAIN = "plain"
"""Innocent lines of this category are ordinary talk; all others are near misses."""
URGENT = "self-harm"

console = Console(stderr=True)
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """One line of one author."""

    author: str
    line: Utterance

    @property
    def text(self) -> str:
        """As the service reads it: with the end of what a short pause cut off."""
        return self.line.prev[-REACH:] + self.line.text


def red_lines(
    exemplars: Annotated[
        Path,
        typer.Option(help="Folder of labelled lines: lines-NAME.jsonl and talk-NAME.jsonl."),
    ] = EXEMPLARS,
    out: Annotated[Path, typer.Option(help="Where to write the head.")] = DATA / "witness.npz",
    false_alarms: Annotated[
        float, typer.Option(min=0.0001, max=0.2, help="Share of near misses that may fire.")
    ] = 0.009,
) -> None:
    """Learn what red lines sound like, and write the witness that points to unlisted wordings.

    A line is as for `banxi eval red-lines`, with its label; files talk-*.jsonl hold ordinary talk
    of callers. A site adds files of its own lines to a copy of the folder, trains, and names the
    result in BANXI_ESCALATION__WITNESS. Give every author a file of their own: whether a head
    generalises is measured from author to author.
    """
    try:
        kinds = read(load(Settings).escalation.red_lines, RedLines).red_lines
    except DataFileError as error:
        fail(str(error))
    lines = read_lines(exemplars)
    labels = (*(kind.id for kind in kinds), NONE)
    for one in lines:
        if one.line.line not in labels:
            fail(f"{exemplars}, {one.author}, line with id {one.line.id}: needs a known label")
    if len({one.author for one in lines if not one.author.startswith(TALK)}) < 2:
        fail(f"{exemplars}: lines of at least two authors are needed, a file each")
    if not out.parent.is_dir():
        fail(f"{out}: there is no folder {out.parent}")
    console.print(f"{len(lines)} lines; judging each author by what the others taught …")
    lesson = _lesson(lines, labels)
    words, _ = lesson.judged_by_others([one.author for one in lines], FOLDS)
    shares = np.exp(words)
    about = _about(lines, labels, shares, false_alarms)
    console.print("learning from all …")
    Witness(about, lesson.learn(np.arange(len(lines)))).save(out)
    _print(lines, labels, shares, about)
    console.print(f"written: {out} ({out.stat().st_size / 1e6:.1f} MB)")


def read_lines(folder: Path) -> list[LabelledLine]:
    """Every caller's line of a folder. Ends the command where there is none, or one is broken."""
    files = sorted([*folder.glob("lines-*.jsonl"), *folder.glob(f"{TALK}-*.jsonl")])
    if not files:
        fail(f"{folder}: holds no lines-*.jsonl")
    found = []
    for file in files:
        lines, bad = read_jsonl(file, Utterance)
        if bad:
            fail(f"{file}: {bad} lines cannot be read")
        found += [LabelledLine(file.stem, line) for line in lines if line.role == "caller"]
    return found


def digest(lines: Sequence[LabelledLine]) -> str:
    """Eight hexadecimal digits that tell what a head was learned from."""
    joined = "\n".join(f"{one.line.line}\t{one.text}" for one in lines)
    return hashlib.sha256(joined.encode()).hexdigest()[:8]


def _lesson(lines: Sequence[LabelledLine], labels: tuple[str, ...]) -> Lesson:
    return Lesson(
        labels=labels,
        known=np.array([labels.index(one.line.line or NONE) for one in lines]),
        grams={PLACE: [{gram for gram, _, _ in grams(read_text(one.text))} for one in lines]},
        vectors={},
        weights=np.ones(len(lines), dtype=np.float32),
        rarest={PLACE: RAREST},
        firmness=FIRMNESS,
    )


def _about(
    lines: Sequence[LabelledLine], labels: tuple[str, ...], shares: Array, allowed: float
) -> About:
    """Thresholds at which so many near misses of unknown authors are suspected."""
    near, talk = _near(lines), np.array([one.author.startswith(TALK) for one in lines])
    urgent = labels.index(URGENT)
    others = [index for index, label in enumerate(labels) if label not in (NONE, URGENT)]

    def threshold(kinds: Sequence[int]) -> float:
        highest = shares[:, kinds].max(axis=1)
        held = [np.quantile(highest[near], 1 - allowed)] if near.any() else [1.0]
        if talk.any():
            held.append(np.quantile(highest[talk], 1 - TALK_SHARE * allowed))
        return round(float(max(held)), 3)

    return About(
        version=digest(lines), suspect=threshold(others), suspect_kind={URGENT: threshold([urgent])}
    )


def _near(lines: Sequence[LabelledLine]) -> Flags:
    return np.array(
        [
            one.line.line == NONE
            and not one.line.cat.startswith(PLAIN)
            and not one.author.startswith(TALK)
            for one in lines
        ]
    )


def _print(
    lines: Sequence[LabelledLine], labels: tuple[str, ...], shares: Array, about: About
) -> None:
    fired = np.array([suspected(about, labels, row) is not None for row in shares])
    table = Table(title="judged by what other authors taught", title_justify="left")
    for column in ("lines", "n", "suspected"):
        table.add_column(column)
    known = np.array([one.line.line for one in lines])
    groups = {label: known == label for label in labels[:-1]}
    groups["near misses"] = _near(lines)
    groups["ordinary talk"] = (known == NONE) & ~groups["near misses"]
    for name, its in groups.items():
        if its.any():
            table.add_row(name, str(its.sum()), f"{fired[its].mean():.3f}")
    Console().print(table)
    console.print(f"thresholds: {about.suspect}, {URGENT} {about.suspect_kind[URGENT]}")
