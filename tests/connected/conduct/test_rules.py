"""Rules in operation on the bus: reloaded, refused, counted, tried on kept calls."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.call import CallEnded
from contracts.feedback import FeedbackGiven
from contracts.requests import Describe, Description, ReloadRules, RulesReloaded
from contracts.warning import WarningRaised
from services.common.bus import Bus, RequestFailed
from services.common.service import Service
from services.conduct.app import create_app
from services.conduct.books import DATA
from services.conduct.settings import ConductSettings, Settings
from services.records.app import create_app as create_records
from services.records.settings import Settings as RecordsSettings
from tests.unit.conduct.stories import final
from tests.until import kept_of, until
from tools.cli import build

pytestmark = pytest.mark.connected

GOOD = (DATA / "phrases.yaml").read_text(encoding="utf-8")
BAD = "这我怎么知道"


@asynccontextmanager
async def running(bus: Bus, url: str, phrases: Path) -> AsyncIterator[Service]:
    conduct = ConductSettings(phrases=phrases)
    settings = Settings(site=bus.site, nats_url=url, conduct=conduct)
    async with create_app(settings).running() as service:
        yield service


async def said(bus: Bus, call_id: str, *starts: int) -> None:
    """The agent says the same bad thing at these times, ms."""
    for start in starts:
        event = final("agent", start, start + 900, BAD)
        await bus.publish(event.model_copy(update={"call_id": call_id, "site": bus.site}))


async def banxi(bus: Bus, url: str, *arguments: str) -> tuple[int, str, str]:
    """A command line, run beside the loop: exit code, output, errors."""
    env = {"BANXI_NATS_URL": url, "BANXI_SITE": bus.site, "BANXI_DATA_DIR": None}
    run = partial(CliRunner().invoke, build(list(arguments)), list(arguments), env=env)
    result = await asyncio.to_thread(run)
    return result.exit_code, result.stdout, result.stderr


async def raised(bus: Bus, count: int) -> WarningRaised:
    """The last of so many forbidden phrases of the call `reload-1`."""

    def phrases(found: list[WarningRaised]) -> list[WarningRaised]:
        return [warning for warning in found if warning.phrase]

    kept = await kept_of(bus, "reload-1", WarningRaised, lambda w: len(phrases(w)) == count)
    return phrases(kept)[-1]


async def described(bus: Bus) -> Description:
    return await bus.request_of("conduct", Describe(), Description)


async def test_new_rules_hold_from_the_next_utterance_and_wrong_ones_never(
    bus: Bus, nats_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD, encoding="utf-8")
    async with running(bus, nats_url, path) as service:
        await said(bus, "reload-1", 1_000)
        first = await raised(bus, 1)
        assert not (await bus.request(ReloadRules(), RulesReloaded)).changed

        path.write_text(GOOD.replace("source: A12", "source: Z9", 1), encoding="utf-8")
        with caplog.at_level(logging.WARNING), pytest.raises(RequestFailed) as caught:
            await bus.request(ReloadRules(), RulesReloaded)
        assert caught.value.problem.code == "invalid"
        for part in ("own.yaml, line ", "entry what-is-it", "source"):
            assert part in caught.value.problem.message
            assert part in caplog.text
        about = await described(bus)
        assert about.ready
        assert about.detail.startswith("rules not reloaded, those from before hold: ")
        await said(bus, "reload-1", 5_000)
        assert (await raised(bus, 2)).by == first.by

        path.write_text(GOOD.replace("canonical: 这我怎么知道", "canonical: 怎么知道", 1), "utf-8")
        done = await bus.request(ReloadRules(), RulesReloaded)
        assert done.changed
        about = await described(bus)
        assert (about.ready, about.detail, about.models) == (True, "", done.rules)
        await said(bus, "reload-1", 9_000)
        third = await raised(bus, 3)
        assert third.phrase == "怎么知道"
        version = next(rules.version for rules in done.rules if rules.name == "phrases")
        assert third.by.version == f"phrases-{version}" != first.by.version
        assert service.models == done.rules


async def test_the_reload_command(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD, encoding="utf-8")
    code, _, err = await banxi(bus, nats_url, "rules", "reload")
    assert code == 1
    assert err.count("\n") == 1
    async with running(bus, nats_url, path):
        code, out, _ = await banxi(bus, nats_url, "rules", "reload")
        assert code == 0
        assert out.startswith("phrases ")
        assert out.endswith("nothing has changed\n")
        path.write_text("version: 1", encoding="utf-8")
        code, out, err = await banxi(bus, nats_url, "rules", "reload")
        assert (code, out) == (1, "")
        assert "own.yaml, line 1" in err


async def test_feedback_is_counted_by_rule(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    settings = RecordsSettings(site=bus.site, nats_url=nats_url, data_dir=tmp_path)
    async with create_records(settings).running():
        for number, verdict in enumerate(("wrong", "wrong", "useful", "dismissed"), 1):
            given = FeedbackGiven(
                call_id="feedback-1", site=bus.site, at_ms=number, agent_id="007",
                target="warning", target_id=f"impossible-{number}", rule="impossible",
                verdict=verdict,
            )  # fmt: skip
            await bus.publish(given)
        other = {"target_id": "pace_remind-5", "rule": "pace", "verdict": "useful", "at_ms": 5}
        await bus.publish(given.model_copy(update=other))

        async def counted() -> list[dict[str, object]]:
            code, out, err = await banxi(bus, nats_url, "rules", "feedback", "--json")
            assert (code, err) == (0, "")
            rules: list[dict[str, object]] = json.loads(out)["rules"]
            return rules

        rule, pace = await until(counted, lambda rules: rules[1:] and rules[0]["dismissed"])
        assert rule == {
            "rule": "impossible", "canonical": "这不可能的", "useful": 1, "wrong": 2,
            "dismissed": 1, "share_wrong": 0.5,
        }  # fmt: skip
        assert "语速" in str(pace["canonical"])
        code, out, _ = await banxi(bus, nats_url, "rules", "feedback", "--days", "1")
        assert code == 0
        for part in ("impossible", "这不可能的", "50%"):
            assert part in out


async def test_rules_are_tried_on_the_last_kept_calls(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        call_id = f"kept-{number}"
        await said(bus, call_id, 1_000 * number)
        end = CallEnded(call_id=call_id, site=bus.site, at_ms=9_000, ended_by="caller")
        await bus.publish(end)
    quiet = tmp_path / "quiet.yaml"
    said_rightly = GOOD.replace("required:\n", f"required:\n  - {BAD}\n", 1)
    quiet.write_text(said_rightly, encoding="utf-8")
    arguments = ["eval", "conduct", "--calls", "2", "--words-only", "--rules", str(quiet), "--json"]
    arguments += ["--against", str(DATA / "phrases.yaml")]
    code, out, err = await banxi(bus, nats_url, *arguments)
    assert (code, err) == (0, "")
    changes = json.loads(out)["changes"]
    assert [(c["id"], c["kind"], c["new"]) for c in changes] == [
        ("kept-2@2000", "no_longer_raised", []),
        ("kept-3@3000", "no_longer_raised", []),
    ]
    assert changes[0]["old"] == [{"rule": "how-would-i-know", "words": BAD}]
