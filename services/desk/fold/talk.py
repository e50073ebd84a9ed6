"""Who spoke when, and what was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal, TranscriptPartial
from services.desk import slots
from services.desk.call_view import CallView, Line, Span
from services.desk.fold.waits import over
from services.desk.marks import hits_of, marked

MAX_LINES = 2_000
MAX_SPANS = 4_000
"""Bounds of what is held of one call; the oldest goes first."""


def speech_started(view: CallView, event: SpeechStarted) -> CallView:
    """Somebody speaks: warnings that waited for that voice are over."""
    if any(s.role == event.role and s.start_ms == event.at_ms for s in view.speech):
        return view
    view = over(view, slots.OVER_BY_VOICE[event.role])
    return replace(view, speech=(*view.speech, Span(event.role, event.at_ms, None))[-MAX_SPANS:])


def speech_ended(view: CallView, event: SpeechEnded) -> CallView:
    """A stretch of speech is whole."""
    span = Span(event.role, event.at_ms, max(event.end_ms, event.at_ms))
    others = tuple(s for s in view.speech if (s.role, s.start_ms) != (span.role, span.start_ms))
    return replace(view, speech=(*others, span)[-MAX_SPANS:])


def partial(view: CallView, event: TranscriptPartial) -> CallView:
    """An open utterance so far, unless its final or a later partial is here already."""
    if view.ended_at is not None or dict(view.decoded).get(event.role, -1) >= event.end_ms:
        return view
    earlier = next((p for p in view.partials if p.role == event.role), None)
    if earlier and (earlier.at_ms, earlier.end_ms) > (event.at_ms, event.end_ms):
        return view
    others = tuple(p for p in view.partials if p.role != event.role)
    return replace(view, partials=(*others, event) if event.text else others)


def final(view: CallView, event: TranscriptFinal) -> CallView:
    """An utterance: its line, its marks, and how late its words came."""
    decoded = dict(view.decoded)
    decoded[event.role] = max(decoded.get(event.role, 0), event.end_ms)
    partials = tuple(
        p for p in view.partials if p.role != event.role or p.end_ms > decoded[event.role]
    )
    lines = tuple(
        line for line in view.lines if (line.role, line.start_ms) != (event.role, event.at_ms)
    )
    if event.text.strip():
        line = Line(event.role, event.at_ms, event.end_ms, event.text, event.corrections)
        lines = tuple(sorted((*lines, marked(line, hits_of(view))), key=_line_order)[-MAX_LINES:])
    delay = view.delay_ms
    if view.started_at is not None:
        took = (event.wall_time - view.started_at) / timedelta(milliseconds=1) - event.end_ms
        # A recording played faster than it was spoken has no delay that means anything.
        delay = round(took) if took >= 0 else None
    return replace(
        view, lines=lines, partials=partials, decoded=tuple(decoded.items()), delay_ms=delay
    )


def _line_order(line: Line) -> tuple[int, int, str]:
    return line.start_ms, line.end_ms, line.role
