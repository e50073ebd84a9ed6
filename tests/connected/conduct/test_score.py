"""A deduction from its making to its return, on a real bus, across a restart of the service."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
import typer
from typer.testing import CliRunner

from contracts.base import Event
from contracts.requests import AskScore, ScoreSheet
from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from services.common.bus import Bus, RequestFailed
from services.common.kept import read_call
from services.conduct.app import create_app
from services.conduct.settings import Settings
from tests.unit.conduct.stories import CLOSING, OPENING, agent, caller
from tests.until import until
from tools.recordings import Hangup
from tools.score import score
from tools.scripted_calls import Script, timeline

pytestmark = pytest.mark.connected

CALL = "score-1"
LINES = (
    agent(0.5, 4, OPENING),
    caller(4.5, 8),
    agent(9, 12, "这我怎么知道"),
    agent(14, 16, CLOSING),
)


def changes(kept: list[Event]) -> list[tuple[str, int, int]]:
    return [(e.item, e.points, e.score) for e in kept if isinstance(e, ScoreChanged)]


async def test_a_deduction_is_made_appealed_and_given_back(bus: Bus, nats_url: str) -> None:
    settings = Settings(site=bus.site, nats_url=nats_url)
    script = Script(script=LINES, hangup=Hangup(by="caller", at=17))
    read = partial(read_call, bus, bus.site, CALL)

    async def ask() -> ScoreSheet:
        return await bus.request(AskScore(call_id=CALL), ScoreSheet)

    async with create_app(settings).running():
        with pytest.raises(RequestFailed) as unknown:
            await ask()
        assert unknown.value.problem.code == "not_found"
        for step in timeline(script, CALL, bus.site):
            await bus.publish(step.event)
        kept = await until(read, changes)
        assert changes(kept) == [("rhetorical-question", -5, 95)]
        made = await ask()
        assert made.score == 95
        (deduction,) = made.deductions
        assert (deduction.state, deduction.points) == ("stands", 5)
        assert deduction.evidence[0].words
    about = {
        "call_id": CALL, "site": bus.site, "at_ms": 9_000, "deduction_id": deduction.deduction_id
    }  # fmt: skip
    # The call is over, and another process hears the appeal.
    async with create_app(settings).running():
        await bus.publish(DeductionAppealed(**about, agent_id="007", reason="是引用来电人的话"))
        appealed = await until(ask, lambda sheet: sheet.deductions[0].state == "appealed")
        assert appealed.score == 95
        await bus.publish(AppealDecided(**about, supervisor="ban", accepted=True))
        kept = await until(read, lambda kept: len(changes(kept)) == 2)
        assert changes(kept)[-1] == ("rhetorical-question", 5, 100)
        returned = await ask()
        assert (returned.score, returned.deductions[0].state) == (100, "returned")
        assert returned.rules == made.rules
        assert any(item.why for item in returned.unjudged)
        code, printed = await command(bus, nats_url, CALL, "--json")
        assert (code, ScoreSheet.model_validate_json(printed)) == (0, returned)
        code, printed = await command(bus, nats_url, CALL)
        assert code == 0
        assert "已退回" in printed
        code, printed = await command(bus, nats_url, "no-such-call")
        assert code == 1
        assert "nothing is kept of this call" in printed


async def command(bus: Bus, nats_url: str, *arguments: str) -> tuple[int, str]:
    """What `banxi score` prints."""
    app = typer.Typer()
    app.command()(score)
    environment = {"BANXI_NATS_URL": nats_url, "BANXI_SITE": bus.site}
    invoke = partial(CliRunner().invoke, app, arguments, env=environment)
    result = await asyncio.to_thread(invoke)
    return result.exit_code, result.output
