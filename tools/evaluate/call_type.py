"""`banxi eval call-type`: labelled calls heard turn by turn, by the service's own assessor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from contracts.call_type import CALL_TYPES
from services.common.failure import CannotStart
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.evaluate import baseline
from tools.evaluate import call_type_scores as scores
from tools.evaluate.confusion import Confusion
from tools.evaluate.hearing import Judge, Prediction, Vectors, load_assessor, nearest
from tools.evaluate.lines import Call
from tools.evaluate.picture import confusion_svg, write_picture
from tools.evaluate.report import Figures, Report, fail, read_jsonl, show, write_predictions
from tools.misheard import misheard as as_misheard


def call_type(
    file: Annotated[Path, typer.Argument(help="Calls, one JSON object a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system says, one JSON line a call.")
    ] = None,
    show_errors: Annotated[bool, typer.Option(help="List the calls decided otherwise.")] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the confusion matrix, as an SVG file.")
    ] = None,
    misheard: Annotated[
        float,
        typer.Option(min=0, max=0.9, help="Share of characters to mishear by sound, both sides."),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Other errors with --misheard.")] = 0,
    words_only: Annotated[
        bool, typer.Option(help="Without vectors, as when the embedding service is away.")
    ] = False,
    types: Annotated[
        Path | None, typer.Option(help="What `banxi train call-type` wrote, in place of ours.")
    ] = None,
    tables: Annotated[
        Path | None, typer.Option(help="Folder with your own signals, intake and advice tables.")
    ] = None,
) -> None:
    """Judge the call type on your own calls, before you trust it.

    Each line is one call: {"id", "turns": [{"role": "caller"|"agent", "text"}]}, "history" (earlier
    calls of the number, short texts) and, where it is labelled, "label" (the type at the end),
    "accept" (others that count as right), "start" and "switch" ([{"turn", "label"}], turns counted
    from 0), "intake" and "intake_accept". The calls are heard turn by turn, as the service hears
    them; labels never change what it says.

    With --misheard the calls are heard as a recogniser may have written them, and the figures stand
    beside those of the calls as they are. Beside both: the nearest of a few example callers.

    The model is loaded in this process (some ten seconds); no bus is needed.
    """
    calls, bad = read_jsonl(file, Call)
    heard = [misheard_call(call, misheard, seed) for call in calls]
    try:
        vectors = None if words_only else Vectors(load_encoder(EmbeddingSettings()))
        judge = Judge(load_assessor(types, tables), vectors)
        prototypes = vectors and baseline.Prototypes.of(vectors.of)
    except CannotStart as error:
        fail(str(error), 1)
    if vectors:
        vectors.learn(t.text for call in (*heard, *calls) for t in call.turns if t.text.strip())
    said = [judge.hear(call) for call in heard]
    if predictions:
        write_predictions(predictions, (prediction.line() for prediction in said))
    judged = _judged(heard, said)
    metrics = scores.figures(judged) if judged else {}
    beside: dict[str, Figures] = {}
    if judged and misheard:
        as_is = scores.figures(_judged(calls, [judge.hear(call) for call in calls]))
        beside = {"as_is": as_is, "change": _change(metrics, as_is)}
        metrics = {"misheard": misheard, **metrics}
    plain = {}
    if judged and vectors and prototypes:
        nearests = _judged(heard, [nearest(prototypes, vectors, call) for call in heard])
        figures = {**scores.label_figures(nearests), **scores.first_figures(nearests)}
        plain = {"name": baseline.NAME, **figures}
    pairs = [(one.label, one.said) for one in judged]
    if picture and not judged:
        fail(f"{file}: has no labels to draw a picture of")
    if picture:
        write_picture(picture, confusion_svg(pairs, CALL_TYPES, f"通话类型　{file.name}"))
    report = Report(
        _title(misheard, seed, words_only),
        n=len(calls),
        metrics=metrics,
        by_category={
            name: scores.figures([one for one in judged if one.cat == name])
            for name in sorted({one.cat for one in judged})
        },
        baseline=plain,
        beside=beside,
        confusion=Confusion.of(pairs, CALL_TYPES) if judged else None,
        errors=[error for one in judged for error in scores.errors(one)],
        bad_lines=bad,
    )
    show(report, as_json=as_json, show_errors=show_errors)


def misheard_call(call: Call, share: float, seed: int) -> Call:
    """A call as a recogniser may have written both sides; all else as it is."""
    turns = (t.model_copy(update={"text": as_misheard(t.text, share, seed)}) for t in call.turns)
    return call.model_copy(update={"turns": tuple(turns)})


def _title(misheard: float, seed: int, words_only: bool) -> str:
    how = [f"{misheard:.0%} of characters misheard, seed {seed}"] if misheard else []
    how += ["words only"] if words_only else []
    return f"call-type ({'; '.join(how)})" if how else "call-type"


def _change(figures: Figures, as_is: Figures) -> Figures:
    """What mishearing adds to each figure; below 0 = lost."""
    return {
        name: None if value is None or (was := as_is[name]) is None else value - was
        for name, value in figures.items()
    }


def _judged(calls: Sequence[Call], said: Sequence[Prediction]) -> list[scores.Judged]:
    """Labels and what was said beside each other, where there are labels."""
    return [
        scores.Judged(
            id=call.id,
            cat=call.cat,
            label=call.label,
            accept=frozenset({call.label, *call.accept}),
            start=call.start or call.label,
            turns=tuple((switch.turn, switch.label) for switch in call.switch),
            intake=frozenset((call.intake, *call.intake_accept) if call.intake else ()),
            caller_turns=tuple(at for at, turn in enumerate(call.turns) if turn.role == "caller"),
            said=one.label,
            confidence=one.confidence,
            first=one.labels_after[0] if one.labels_after else None,
            said_turns=one.switch,
            said_intake=one.intake,
        )
        for call, one in zip(calls, said, strict=True)
        if call.label
    ]
