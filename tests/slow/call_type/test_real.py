"""Call types with the real embedding model, from finals on the bus to assessments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from contracts.base import Producer
from contracts.call import CallStarted
from contracts.call_type import CALL_TYPES, CallTypeAssessed, CallTypeTurned
from contracts.card import CardShown
from contracts.transcript import TranscriptFinal
from services.call_type import app as call_type_app
from services.call_type.settings import Settings as CallTypeSettings
from services.common.bus import Bus
from services.common.kept import read_call
from services.embedding import app as embedding_app
from services.embedding.settings import Settings as EmbeddingSettings
from tests.until import described, kept_of, until
from tools.evaluate.call_type import call_type

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DEV = Path(__file__).parents[3] / "eval_data" / "calltype.dev.jsonl"


def calls() -> list[dict[str, Any]]:
    """One developing call of each type, and one that turns."""
    every = [json.loads(line) for line in DEV.read_text(encoding="utf-8").splitlines()]
    chosen = {label: next(call for call in every if call["label"] == label) for label in CALL_TYPES}
    turns = next(call for call in every if call["switch"] and call not in chosen.values())
    return [*chosen.values(), turns]


async def test_finals_on_the_bus_become_assessments(
    nats_url: str, site: str, bus: Bus, tmp_path: Path
) -> None:
    """Every call comes to a type, nearly all to the right one; none by words alone."""
    embedding = embedding_app.create_app(
        EmbeddingSettings(nats_url=nats_url, site=site, data_dir=tmp_path)
    )
    assessing = call_type_app.create_app(
        CallTypeSettings(nats_url=nats_url, site=site, data_dir=tmp_path)
    )
    chosen = calls()
    async with embedding.running(), assessing.running():
        assert (await described(bus, "embedding")).ready
        for call in chosen:
            await tell(bus, call)
        await kept_of(bus, chosen[-1]["id"], CallTypeTurned)
        # Nearly all: one may be of a kind that was misjudged before.
        await until(lambda: nearly_all(bus, chosen), patience_s=60)
        about = await described(bus, "call_type")
        events = {call["id"]: await read_call(bus, site, call["id"]) for call in chosen}
    assert about.figures["words_only"] == 0
    for call in chosen:
        told = [e for e in events[call["id"]] if isinstance(e, CallTypeAssessed)]
        texts = [turn["text"] for turn in call["turns"] if turn["role"] == "caller"]
        assert told, call["id"]
        assert all(any(e.words in text for text in texts) for one in told for e in one.evidence)
        assert any(isinstance(e, CardShown) and e.kind == "advice" for e in events[call["id"]])


async def nearly_all(bus: Bus, chosen: list[dict[str, Any]]) -> bool:
    """Whether all calls have come to a type, and all but one to one that is accepted."""
    last = {
        call["id"]: [
            event.type
            for event in await read_call(bus, bus.site, call["id"])
            if isinstance(event, CallTypeAssessed)
        ]
        for call in chosen
    }
    right = sum(
        bool(last[call["id"]]) and last[call["id"]][-1] in (call["label"], *call["accept"])
        for call in chosen
    )
    return all(last.values()) and right >= len(chosen) - 1


async def tell(bus: Bus, call: dict[str, Any]) -> None:
    """A call as media and the recogniser would tell of it."""
    await bus.publish(
        CallStarted(call_id=call["id"], site=bus.site, at_ms=0, agent_id="1", caller_number="0000")
    )
    for number, turn in enumerate(call["turns"]):
        await bus.publish(
            TranscriptFinal(
                call_id=call["id"],
                site=bus.site,
                at_ms=number * 10_000,
                role=turn["role"],
                end_ms=number * 10_000 + 5000,
                text=turn["text"],
                heard=turn["text"],
                by=Producer(name="scripted", version="1"),
            )
        )


def test_predictions_do_not_look_at_labels(tmp_path: Path) -> None:
    """The same lines with wrong labels and with none: the same is said."""
    app = typer.Typer()
    app.command()(call_type)
    some = calls()[:4]
    wrong = {"label": "纠缠", "start": "纠缠", "switch": [], "accept": [], "intake": "建议"}
    labelled = [{"id": one["id"], "turns": one["turns"]} | wrong for one in some]
    bare = [{"id": one["id"], "turns": one["turns"]} for one in some]
    said = []
    for name, lines in (("labelled", labelled), ("bare", bare)):
        file, out = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.out"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        result = CliRunner().invoke(app, [str(file), "--json", "--predictions", str(out)])
        assert result.exit_code == 0, result.output
        said.append((json.loads(result.stdout), out.read_text(encoding="utf-8")))
    (with_labels, first), (without, second) = said
    assert first == second
    assert with_labels["metrics"]["accuracy"] <= 0.25
    assert with_labels["baseline"]["name"]
    assert without["metrics"] == {}
    predictions = [json.loads(line) for line in first.splitlines()]
    assert [one["id"] for one in predictions] == [one["id"] for one in some]
    for one, call in zip(predictions, some, strict=True):
        callers = [turn for turn in call["turns"] if turn["role"] == "caller"]
        assert len(one["labels_after"]) == len(callers)
