"""`banxi eval situations`: labelled moments judged by the service's own recogniser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.call_type.situations.book import load_book
from services.call_type.situations.look import Turn as Seen
from services.call_type.situations.recogniser import Recognised, Recogniser
from services.common.failure import CannotStart
from services.common.vectors import Vector
from services.embedding.encoder import Encoder
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.evaluate.call_type_scores import calibration_error, macro_f1
from tools.evaluate.confusion import Confusion
from tools.evaluate.lines import NONE, Moment, Turn
from tools.evaluate.picture import confusion_svg, write_picture
from tools.evaluate.report import (
    Figures,
    Report,
    f1,
    fail,
    ratio,
    read_jsonl,
    show,
    write_predictions,
)

BATCH = 32


@dataclass(frozen=True, slots=True)
class Judged:
    """A moment with its label and what was said of it."""

    moment: Moment
    said: str
    confidence: float

    @property
    def expected(self) -> str:
        """The label; what was said, where that counts as right too."""
        assert self.moment.expect is not None
        return self.said if self.said in self.moment.accept else self.moment.expect

    @property
    def right(self) -> bool:
        """Whether what was said counts as right."""
        return self.said == self.expected


def situations(
    file: Annotated[Path, typer.Argument(help="Moments, one JSON object a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system says, one JSON line a moment.")
    ] = None,
    show_errors: Annotated[bool, typer.Option(help="List the moments decided otherwise.")] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the confusion matrix, as an SVG file.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="situations.yaml in place of the one of the service.")
    ] = None,
    head: Annotated[
        Path | None, typer.Option(help="Head of `banxi train situations` in place of its own.")
    ] = None,
    words_only: Annotated[
        bool, typer.Option(help="Without vectors, as when the embedding service is away.")
    ] = False,
) -> None:
    """Judge whether the moments that need wording at once are recognised.

    Each line is one moment: {"id", "turns": [{"role": "caller"|"agent", "text", "silence_s"?}]},
    the last turn being the moment, and, where it is labelled, "expect" (the id of a situation, or
    none) and "accept" (others that count as right). Labels never change what it says.

    The model is loaded in this process (some ten seconds); no bus is needed.
    """
    moments, bad = read_jsonl(file, Moment)
    try:
        recogniser = Recogniser(load_book(table), head)
        encoder = None if words_only else load_encoder(EmbeddingSettings())
    except CannotStart as error:
        fail(str(error), 1)
    if encoder and encoder.id != recogniser.about.embedding:
        fail(f"the head reads vectors of {recogniser.about.embedding}, not of {encoder.id}", 1)
    vectors = vectors_of(encoder, texts(moments)) if encoder else {}
    said = [recogniser.recognise(seen(moment, vectors)) for moment in moments]
    if predictions:
        write_predictions(predictions, map(_line, moments, said))
    judged = [
        Judged(moment, one.situation or NONE, one.confidence)
        for moment, one in zip(moments, said, strict=True)
        if moment.expect is not None
    ]
    pairs = [(one.expected, one.said) for one in judged]
    labels = (*recogniser.labels,)
    if picture:
        write_picture(picture, confusion_svg(pairs, labels, f"情景　{file.name}"))
    report = Report(
        "situations (words only)" if words_only else "situations",
        n=len(moments),
        metrics=figures(judged) if judged else {},
        grouped={"situations": _by_situation(pairs, labels)} if judged else {},
        by_category={
            name: figures([one for one in judged if one.moment.cat == name])
            for name in sorted({one.moment.cat for one in judged})
        },
        confusion=Confusion.of(pairs, labels) if judged else None,
        errors=[
            {
                "id": one.moment.id,
                "kind": "situation",
                "label": one.expected,
                "said": one.said,
                "confidence": round(one.confidence, 3),
            }
            for one in judged
            if not one.right
        ],
        bad_lines=bad,
    )
    if judged and not as_json:
        _print_by_situation(_by_situation(pairs, labels))
    show(report, as_json=as_json, show_errors=show_errors)


def texts(moments: Iterable[Moment]) -> list[str]:
    """What vectors are wanted of: the last turn and the one before it."""
    return [turn.text for moment in moments for turn in moment.turns[-2:] if turn.text.strip()]


def vectors_of(encoder: Encoder, said: Iterable[str]) -> dict[str, Vector]:
    """A vector for each text, each made once."""
    # Texts of like length together: a batch takes as long as its longest.
    wanted = sorted(set(said), key=lambda text: (len(text), text))
    found: dict[str, Vector] = {}
    for at in range(0, len(wanted), BATCH):
        batch = wanted[at : at + BATCH]
        found |= zip(batch, encoder.embed(batch, "query"), strict=True)
    return found


def seen(moment: Moment, vectors: Mapping[str, Vector]) -> list[Seen]:
    """The turns as the recogniser looks at them."""

    def one(turn: Turn) -> Seen:
        return Seen(turn.role, turn.text, vectors.get(turn.text), turn.silence_s or 0.0)

    return [one(turn) for turn in moment.turns]


def figures(judged: Sequence[Judged]) -> Figures:
    """`none_false_rate`: of the moments that are none, how many were called something; `ece`: how
    far the confidence is from the share that is right."""
    nones = [one for one in judged if one.expected == NONE]
    return {
        "macro_f1": macro_f1([(one.expected, one.said) for one in judged]),
        "accuracy": ratio(sum(one.right for one in judged), len(judged)),
        "none_false_rate": ratio(sum(one.said != NONE for one in nones), len(nones)),
        "ece": calibration_error([(one.confidence, one.right) for one in judged]),
    }


def _by_situation(pairs: Sequence[tuple[str, str]], labels: Sequence[str]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name in labels:
        both = sum(right == said == name for right, said in pairs)
        expected = sum(right == name for right, _ in pairs)
        precision = ratio(both, sum(said == name for _, said in pairs))
        recall = ratio(both, expected)
        if expected or precision is not None:
            found[name] = {
                "n": expected,
                "precision": precision,
                "recall": recall,
                "f1": f1(precision, recall),
            }
    return found


def _print_by_situation(situations: Mapping[str, Figures]) -> None:
    table = Table("situation", "n", "precision", "recall", "f1", title="by situation")
    for name, values in situations.items():
        shares = (values[figure] for figure in ("precision", "recall", "f1"))
        cells = ("-" if share is None else f"{share:.3f}" for share in shares)
        table.add_row(name, str(values["n"]), *cells)
    Console().print(table)


def _line(moment: Moment, said: Recognised) -> dict[str, object]:
    return {
        "id": moment.id,
        "situation": said.situation or NONE,
        "confidence": round(said.confidence, 4),
    }
