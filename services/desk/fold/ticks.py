"""Required phrases: due, said, missed."""

from __future__ import annotations

from dataclasses import replace

from contracts.phrase import PhraseDue, PhraseSaid
from contracts.warning import WarningKind, WarningRaised
from services.desk.call_view import MAX_ITEMS, CallView, Tick

_TELL_OF: dict[WarningKind, str] = {"missing_opening": "opening", "missing_closing": "closing"}
"""The phrase that a kind of warning of its own tells of."""


def due(view: CallView, event: PhraseDue) -> CallView:
    """The moment of a phrase has come. Said stays said, missed stays missed, unless the phrase
    falls due again later (a second wait, a second thanks)."""
    known = next((t for t in view.ticks if t.phrase == event.phrase), None)
    if known and known.state != "due" and event.at_ms <= known.at_ms:
        return view
    return _with(view, Tick(event.phrase, event.name, event.at_ms, "due", event.event_id))


def said(view: CallView, event: PhraseSaid) -> CallView:
    """A phrase was heard; late is better than never."""
    return _with(view, Tick(event.phrase, event.name, event.at_ms, "said"))


def missed(view: CallView, event: WarningRaised) -> CallView:
    """The moment of a phrase passed without it. A mere note changes nothing on the page."""
    if event.level == "note":
        return view
    phrase = _TELL_OF.get(event.kind)
    if phrase is None and event.kind != "missing_phrase":
        return view
    names = {phrase} if phrase else {event.phrase, event.by.name}
    ticks = tuple(
        replace(tick, state="missed")
        if tick.state == "due"
        and (names & {tick.phrase, tick.name} or tick.due_id in event.derived_from)
        else tick
        for tick in view.ticks
    )
    return replace(view, ticks=ticks)


def _with(view: CallView, tick: Tick) -> CallView:
    if not any(t.phrase == tick.phrase for t in view.ticks):
        return replace(view, ticks=(*view.ticks, tick)[-MAX_ITEMS:])
    return replace(view, ticks=tuple(tick if t.phrase == tick.phrase else t for t in view.ticks))
