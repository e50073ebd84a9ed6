"""`banxi eval call-type`: labelled calls heard turn by turn, by the service's own assessor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from contracts.base import Role
from contracts.call_type import CALL_TYPES, INTAKES, CallType, Intake
from services.call_type.assess import Assessor
from services.call_type.dialogue import Dialogue, Heard
from services.call_type.prototypes import Prototypes, fit
from services.call_type.tables import load_tables
from services.common.service import CannotStart
from services.common.settings import load
from services.embedding.encoder import Encoder
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import Settings
from tools.evaluate import call_type_scores as scores
from tools.evaluate.report import (
    Figures,
    Line,
    Report,
    fail,
    read_jsonl,
    show,
    write_predictions,
)


class Turn(BaseModel):
    """Something said."""

    model_config = ConfigDict(frozen=True)

    role: Role
    text: str


class Switch(BaseModel):
    """A change of type."""

    model_config = ConfigDict(frozen=True)

    turn: int
    label: CallType


class Call(Line):
    """A line of the file: a dialogue and, where it is labelled, what is right."""

    turns: tuple[Turn, ...]
    label: CallType | None = None
    accept: tuple[CallType, ...] = ()
    start: CallType | None = None
    switch: tuple[Switch, ...] = ()
    intake: Intake | None = None
    intake_accept: tuple[Intake, ...] = ()


def call_type(
    file: Annotated[Path, typer.Argument(help="Calls, one JSON object a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system says, one JSON line a call.")
    ] = None,
    show_errors: Annotated[bool, typer.Option(help="List the calls decided otherwise.")] = False,
    tables: Annotated[
        Path | None,
        typer.Option(help="Folder with your own prototypes, signals, intake and advice tables."),
    ] = None,
) -> None:
    """Judge the call type on your own calls, before you trust it.

    Each line is one call: {"id", "turns": [{"role": "caller"|"agent", "text"}]} and, where it is
    labelled, "label" (the type at the end), "accept" (others that count as right), "start" and
    "switch" ([{"turn", "label"}], turns counted from 0), "intake" and "intake_accept". The calls
    are heard turn by turn, as the service hears them; labels never change what it says.

    The model is loaded in this process (some ten seconds); no bus is needed.
    """
    calls, bad = read_jsonl(file, Call)
    try:
        encoder = load_encoder(load(Settings).embedding)
        judge = Judge(encoder, tables)
    except CannotStart as error:
        fail(str(error), 1)
    said = [judge.hear(call) for call in calls]
    if predictions:
        write_predictions(predictions, (prediction.line() for prediction in said))
    labelled = [(call, one) for call, one in zip(calls, said, strict=True) if call.label]
    judged = [_judged(call, one) for call, one in labelled]
    plain = [_judged(call, judge.nearest(call)) for call, _ in labelled]
    report = Report(
        "call-type",
        n=len(calls),
        metrics={**scores.figures(judged), **judge.times()} if judged else {},
        by_category={
            name: scores.figures([one for one in judged if one.cat == name])
            for name in sorted({one.cat for one in judged})
        },
        baseline={"name": "nearest prototype", **scores.label_figures(plain)} if plain else {},
        errors=[error for one in judged for error in scores.errors(one)],
        bad_lines=bad,
    )
    show(report, as_json=as_json, show_errors=show_errors)


@dataclass(frozen=True, slots=True)
class Said:
    """What the system says of a call."""

    id: str
    label: CallType | None
    confidence: float
    labels_after: tuple[CallType | None, ...] = ()
    """After each caller turn."""
    switch: tuple[tuple[int, CallType], ...] = ()
    """Turn and label where the label changes; the first label is no change."""
    intake: Intake | None = None

    def line(self) -> dict[str, object]:
        """As it stands in the predictions file."""
        return {
            "id": self.id,
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "labels_after": list(self.labels_after),
            "switch": [{"turn": turn, "label": label} for turn, label in self.switch],
            "intake": self.intake,
        }


class Judge:
    """The service's own assessor, with the model in this process."""

    def __init__(self, encoder: Encoder, tables: Path | None = None) -> None:
        self._encoder = encoder
        read = load_tables(tables)
        examples = read.type_examples
        kinds = read.intake_examples
        self._types: Prototypes[CallType] = fit(
            CALL_TYPES, examples, encoder.embed([text for _, text in examples], "query")
        )
        intakes: Prototypes[Intake] = fit(
            INTAKES, kinds, encoder.embed([text for _, text in kinds], "query")
        )
        self._assessor = Assessor(read, self._types, intakes)
        self._update_s: list[float] = []
        self._embedding_s: list[float] = []

    def hear(self, call: Call) -> Said:
        """Hear a call to its end. Looks at nothing but its turns."""
        dialogue = Dialogue()
        after: list[CallType | None] = []
        switch: list[tuple[int, CallType]] = []
        for number, turn in enumerate(call.turns):
            if turn.role != "caller":
                continue
            before = dialogue.shown
            if turn.text.strip():
                dialogue = self._update(dialogue, number, turn.text)
            if before and dialogue.shown and dialogue.shown != before:
                switch.append((number, dialogue.shown))
            after.append(dialogue.shown)
        return Said(
            call.id,
            dialogue.shown,
            dialogue.confidence,
            tuple(after),
            tuple(switch),
            dialogue.intake,
        )

    def _update(self, dialogue: Dialogue, number: int, text: str) -> Dialogue:
        started = time.perf_counter()
        texts = self._assessor.texts(dialogue, text)
        vectors = list(self._encoder.embed(texts, "query")) if texts else []
        embedded = time.perf_counter()
        alone, together = (*vectors, None, None)[:2]
        heard = Heard(str(number), number, number, text, alone, together)
        dialogue = self._assessor.hear(dialogue, heard)
        self._update_s.append(time.perf_counter() - started)
        if texts:
            self._embedding_s.append((embedded - started) / len(texts))
        return dialogue

    def nearest(self, call: Call) -> Said:
        """The baseline: the label of the one example most like all the caller said."""
        text = "，".join(turn.text for turn in call.turns if turn.role == "caller")
        vector = self._encoder.embed([text], "query")[0]
        label = self._types.labels[self._types.owners[self._types.nearest(vector)]]
        return Said(call.id, label, 1.0)

    def times(self) -> Figures:
        """Time of an update with its embeddings, and of one embedding, seconds."""
        return {
            "update_p50": scores.quantile(self._update_s, 0.5),
            "update_p95": scores.quantile(self._update_s, 0.95),
            "embedding_p50": scores.quantile(self._embedding_s, 0.5),
        }


def _judged(call: Call, said: Said) -> scores.Judged:
    assert call.label is not None
    turns = [number for number, turn in enumerate(call.turns) if turn.role == "caller"]
    return scores.Judged(
        id=call.id,
        cat=call.cat,
        label=call.label,
        accept=frozenset({call.label, *call.accept}),
        start=call.start or call.label,
        turns=tuple((switch.turn, switch.label) for switch in call.switch),
        intake=frozenset((call.intake, *call.intake_accept) if call.intake else ()),
        caller_turns=tuple(turns),
        said=said.label,
        confidence=said.confidence,
        first=said.labels_after[0] if said.labels_after else None,
        said_turns=said.switch,
        said_intake=said.intake,
    )
