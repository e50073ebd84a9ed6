from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from contracts.base import Event
from contracts.call import CallEnded, CallStarted
from contracts.escalation import EscalationAcknowledged, EscalationClosed, EscalationRaised
from contracts.requests import (
    AcknowledgeEscalation,
    CloseEscalation,
    EscalationHandled,
    TakeOverEscalation,
)
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningConfirmed, WarningWithdrawn
from services.common import streams
from services.common.bus import Bus, RequestFailed
from services.common.kept import read_call
from services.common.service import Service
from services.escalation.app import create_app
from services.escalation.settings import DATA, EscalationSettings, Settings
from tests.unit.escalation.scripts import BY, says, warning
from tests.until import until

pytestmark = pytest.mark.connected

HOLD = "hold-over-30s.1"


@asynccontextmanager
async def running(
    bus: Bus, url: str, policy: Path = DATA / "policy.yaml"
) -> AsyncIterator[Service]:
    settings = Settings(site=bus.site, nats_url=url, escalation=EscalationSettings(policy=policy))
    async with create_app(settings).running() as service:
        yield service


def quick(tmp_path: Path, seconds: float) -> Path:
    path = tmp_path / "policy.yaml"
    text = (DATA / "policy.yaml").read_text()
    path.write_text(text.replace("rise_after_s: 60", f"rise_after_s: {seconds}"))
    return path


class Script:
    """One call on the bus."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.call_id = f"c{uuid.uuid4().hex[:12]}"

    async def say(self, *events: Event) -> None:
        """Publish events of the scripted call as events of this one."""
        here = {"call_id": self.call_id, "site": self.bus.site}
        for event in events:
            await self.bus.publish(event.model_copy(update=here))

    async def start(self) -> None:
        await self.say(
            CallStarted(call_id="c", site="s", at_ms=0, agent_id="015", caller_number="139")
        )

    async def kept(self) -> list[Event]:
        """What the stream holds of escalations."""
        events = await read_call(self.bus, self.bus.site, self.call_id)
        return [event for event in events if event.event.startswith("escalation.")]

    async def heard_at(self) -> datetime:
        """When the bus took the caller's words."""
        events = await read_call(self.bus, self.bus.site, self.call_id)
        (final,) = (event for event in events if isinstance(event, TranscriptFinal))
        return final.wall_time

    async def until(self, holds: Callable[[list[Event]], bool]) -> list[Event]:
        """What the stream holds of escalations, as soon as it holds what is wanted."""
        return await until(self.kept, holds)

    async def raised(self, count: int = 1) -> list[EscalationRaised]:
        events = await self.until(
            lambda found: sum(isinstance(e, EscalationRaised) for e in found) >= count
        )
        return [event for event in events if isinstance(event, EscalationRaised)]

    async def ask(
        self,
        command: type[AcknowledgeEscalation | TakeOverEscalation | CloseEscalation],
        escalation_id: str = HOLD,
        supervisor: str = "ban",
        **more: str,
    ) -> str:
        fields = {
            "call_id": self.call_id,
            "escalation_id": escalation_id,
            "supervisor": supervisor,
            **more,
        }
        reply = await self.bus.request(command.model_validate(fields), EscalationHandled)
        return reply.state


async def refused(answer: object) -> str:
    with pytest.raises(RequestFailed) as caught:
        await answer  # type: ignore[misc]
    return caught.value.problem.code


async def test_warnings_and_words_become_escalations(bus: Bus, nats_url: str) -> None:
    call = Script(bus)
    async with running(bus, nats_url):
        await call.start()
        await call.say(
            warning("w1", "forbidden_phrase", 1000, words="这我怎么知道"),
            warning("w2", "forbidden_phrase", 2000, words="知道了吗"),
            says("我不想活了", 3000),
        )
        phrases, words = await call.raised(2)
    assert (phrases.title, phrases.agent_id) == ("禁用语两次", "015")
    assert phrases.derived_from == tuple(
        f"{call.call_id}:w{n}:{n}000:warning.raised" for n in (1, 2)
    )
    assert (words.title, words.severity) == ("红线：扬言轻生", "red_line")


async def test_red_lines_need_no_other_service(bus: Bus, nats_url: str) -> None:
    """Escalation alone on the bus: no models, no vectors, no call type."""
    call = Script(bus)
    async with running(bus, nats_url):
        await call.start()
        said = says("我把药都攒好了，就今天晚上", 3000)
        await call.say(said)
        (raised,) = await call.raised()
    assert (raised.escalation_id, raised.severity) == ("red-line.self-harm", "red_line")
    assert raised.evidence[0].words in "我把药都攒好了，就今天晚上"
    assert raised.evidence[0].words in raised.reason
    # Of the very event: at its moment, and derived from nothing else.
    assert raised.at_ms == said.at_ms
    assert raised.derived_from == (f"{call.call_id}:{said.event_id.split(':', 1)[1]}",)
    assert (raised.wall_time - await call.heard_at()).total_seconds() < 5


async def test_a_withdrawn_warning_closes_its_escalation(bus: Bus, nats_url: str) -> None:
    call = Script(bus)
    async with running(bus, nats_url) as service:
        await call.start()
        hold = warning("h", "hold_over_30s", provisional=True)
        await call.say(
            hold,
            WarningConfirmed(call_id="c", site="s", at_ms=1, by=BY, warning_id="h"),
            WarningWithdrawn(call_id="c", site="s", at_ms=2, by=BY, warning_id="h", reason="…"),
        )
        raised, end = await call.until(lambda found: len(found) == 2)
        assert isinstance(raised, EscalationRaised)
        assert isinstance(end, EscalationClosed)
        assert (end.supervisor, end.verdict) == ("system", "false")
        again = call.ask(CloseEscalation, verdict="real")
        assert await refused(again) == "conflict"
        assert service.figures.now()["open"] == 0


async def test_the_life_of_an_escalation(bus: Bus, nats_url: str) -> None:
    call = Script(bus)
    async with running(bus, nats_url):
        await call.start()
        await call.say(warning("h", "hold_over_30s"))
        await call.raised()
        assert await refused(call.ask(AcknowledgeEscalation, "nothing.1")) == "not_found"
        assert await refused(call.ask(AcknowledgeEscalation, supervisor="system")) == "invalid"
        assert await call.ask(AcknowledgeEscalation) == "acknowledged"
        assert await call.ask(AcknowledgeEscalation, supervisor="li") == "acknowledged"
        assert await call.ask(TakeOverEscalation) == "taken_over"
        assert await refused(call.ask(TakeOverEscalation, supervisor="li")) == "conflict"
        assert await call.ask(CloseEscalation, verdict="real") == "closed"
        assert await refused(call.ask(CloseEscalation, verdict="real")) == "conflict"
        assert await refused(call.ask(AcknowledgeEscalation)) == "conflict"
    names = [event.event for event in await call.kept()]
    assert names == [
        "escalation.raised",
        "escalation.acknowledged",
        "escalation.taken_over",
        "escalation.closed",
    ]


async def test_unacknowledged_ones_rise_also_after_the_call(
    bus: Bus, nats_url: str, tmp_path: Path
) -> None:
    left, seen = Script(bus), Script(bus)
    async with running(bus, nats_url, quick(tmp_path, 0.2)):
        for call in (left, seen):
            await call.start()
            await call.say(warning("h", "hold_over_30s"))
            await call.raised()
            if call is seen:
                await seen.ask(AcknowledgeEscalation)
            await call.say(CallEnded(call_id="c", site="s", at_ms=9000, ended_by="caller"))
        rises = await left.raised(4)
    assert [event.rise for event in rises] == [0, 1, 2, 3]
    assert {event.escalation_id for event in rises} == {HOLD}
    quiet = await seen.kept()
    assert isinstance(quiet[-1], EscalationAcknowledged)


async def test_a_restart_forgets_nothing(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    open_, shut = Script(bus), Script(bus)
    async with running(bus, nats_url):
        for call in (open_, shut):
            await call.start()
            await call.say(warning("w1", "forbidden_phrase", 1000), warning("h", "hold_over_30s"))
            await call.raised()
        await shut.ask(CloseEscalation, verdict="false")
    async with running(bus, nats_url, quick(tmp_path, 0.2)) as service:
        assert service.figures.now()["open"] == 1
        await open_.raised(2)
        assert await refused(shut.ask(TakeOverEscalation)) == "conflict"
        assert await open_.ask(TakeOverEscalation) == "taken_over"
        # The call goes on where it was: one phrase before the restart, one after it.
        await open_.say(warning("w2", "forbidden_phrase", 2000))
        events = await open_.until(lambda found: found[-1].at_ms == 3000)
        assert isinstance(events[-1], EscalationRaised)
        assert events[-1].escalation_id == "forbidden-phrases.1"
    assert [event.event for event in await shut.kept()] == [
        "escalation.raised",
        "escalation.closed",
    ]


async def test_what_was_purged_does_not_rise(bus: Bus, nats_url: str, tmp_path: Path) -> None:
    gone, kept = Script(bus), Script(bus)
    async with running(bus, nats_url, quick(tmp_path, 0.4)) as service:
        for call in (gone, kept):
            await call.start()
            await call.say(warning("h", "hold_over_30s"))
            await call.raised()
        subject = f"banxi.v1.{bus.site}.call.*.{gone.call_id}.>"
        await bus.js.purge_stream(streams.CALLS, subject=subject)
        await kept.raised(2)
        await kept.raised(3)
        assert await gone.kept() == []
        assert await refused(gone.ask(AcknowledgeEscalation)) == "not_found"
        assert service.figures.now()["open"] == 1
