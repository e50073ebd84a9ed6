"""What the agent's page shows of an ended call of the shift: a row of the list, and its details."""

from __future__ import annotations

from services.desk import agent_page
from services.desk.call_view import CallView
from services.desk.charges import charges
from services.desk.trail import type_now
from services.desk.wire import Json, Sections, millis

_IN_DETAILS = ("head", "end", "type", "course", "cards", "advice", "ticks", "score", "warnings")


def row(view: CallView) -> Json:
    """One line; whenever something changes in the call's deductions it changes too."""
    made = charges(view)
    decisions = [c.appeal.decision for c in made if c.appeal and c.appeal.decision]
    return {
        "call": view.call_id,
        "started": millis(view.started_at),
        "number": view.number,
        "type": type_now(view)[0],
        "score": view.score,
        "deductions": sum(c.state != "returned" for c in made),
        "open": sum(c.state == "appealed" for c in made),
        "accepted": sum(d.accepted for d in decisions),
        "refused": sum(not d.accepted for d in decisions),
    }


def details(view: CallView) -> Sections:
    """The sections that the details panel shows."""
    sections = agent_page.sections(view, quiet=False)
    return {name: sections[name] for name in _IN_DETAILS}
