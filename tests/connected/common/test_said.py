"""What a service says is noted where the stream has taken it: once, and with what led to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts import envelope
from contracts.base import Event
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningRaised
from services.common.bus import Bus
from services.common.calls import Happening, Outcome
from services.common.service import Cause, Service
from services.common.settings import ServiceSettings
from tests.until import until

pytestmark = pytest.mark.connected

GOLDEN = Path(__file__).parents[2] / "golden"


def golden(model: type[Event], site: str) -> Event:
    read = model.model_validate_json((GOLDEN / f"{model.__name__}.json").read_text("utf-8"))
    return read.model_copy(update={"site": site})


class Objects:
    """Objects to whatever is said."""

    def open(self, call_id: str, site: str) -> str:
        return site

    async def handle(self, state: str, happening: Happening) -> Outcome[str]:
        said = isinstance(happening, TranscriptFinal)
        return Outcome(state, [golden(WarningRaised, state)] if said else [])


async def test_it_is_noted_once_however_often_it_is_said(
    nats_url: str, site: str, bus: Bus
) -> None:
    service = Service("conduct", ServiceSettings(nats_url=nats_url, site=site))
    service.follows_calls(Objects())
    counted = service.figures.counter("banxi_warnings_total", "raised", rule_kind=("pace",))
    causes: list[Cause] = []

    def note(warning: WarningRaised, cause: Cause) -> None:
        counted.at(rule_kind=warning.kind).inc()
        causes.append(cause)

    service.when_said(WarningRaised, note)
    async with service.running():
        before = datetime.now(UTC)
        await bus.publish(golden(TranscriptFinal, site))
        await until(lambda: causes)
        assert not await service.bus.publish(golden(WarningRaised, site))
        await service.bus.publish(golden(TranscriptFinal, site))
    [cause] = causes
    heard = envelope.said_at(cause)
    assert heard is not None
    assert before <= heard <= datetime.now(UTC)
    assert service.figures.now()["warnings{other}"] == 1


@pytest.mark.parametrize("time", [None, "", "yesterday", "2026-11-22T09:00:00"])
def test_others_may_not_say_when(time: str | None) -> None:
    headers = None if time is None else {"ce-time": time}
    assert envelope.said_at(headers) is None
