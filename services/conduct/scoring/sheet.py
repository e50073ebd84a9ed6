"""The score sheet of a call, made from what is kept of it: live, over, or days ago."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.base import Event
from contracts.requests import AskScore, Problem, ScoreSheet
from services.common.bus import Bus, RequestFailed
from services.common.kept import read_call
from services.conduct.scoring import score
from services.conduct.scoring.scale import Scale


async def answer(bus: Bus, asked: AskScore, scale: Scale) -> ScoreSheet:
    """The sheet by the table that holds now. Raises RequestFailed where nothing is kept."""
    kept = await read_call(bus, bus.site, asked.call_id)
    if not kept:
        message = "nothing is kept of this call: it never was, or was too long ago"
        raise RequestFailed(Problem(code="not_found", message=message))
    return of(asked.call_id, kept, scale)


def of(call_id: str, kept: Iterable[Event], scale: Scale) -> ScoreSheet:
    """The sheet of a call's kept events."""
    facts = score.Facts()
    for event in kept:
        facts = score.note(facts, event)
    return score.sheet(call_id, facts, scale)
