"""What waits in a call: a hold, a silence, and the warnings that are over with it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from contracts.warning import HoldEnded, HoldStarted, SilenceEnded, SilenceStarted, WarningKind
from services.desk import slots
from services.desk.call_view import CallView


def hold_started(view: CallView, event: HoldStarted) -> CallView:
    """The caller was asked to wait."""
    return replace(view, hold=event) if view.ended_at is None else view


def hold_ended(view: CallView, event: HoldEnded) -> CallView:
    """The agent is back."""
    if view.hold and view.hold.at_ms > event.at_ms:
        return view
    return over(replace(view, hold=None), slots.WAITING_KINDS)


def silence_started(view: CallView, event: SilenceStarted) -> CallView:
    """Nobody speaks."""
    return replace(view, silence=event) if view.ended_at is None else view


def silence_ended(view: CallView, event: SilenceEnded) -> CallView:
    """Somebody speaks again."""
    if view.silence and view.silence.at_ms > event.at_ms:
        return view
    return over(replace(view, silence=None), slots.SILENCE_KINDS)


def over(view: CallView, kinds: Set[WarningKind]) -> CallView:
    """The view after what warnings of these kinds warned of has passed."""
    if not any(w.event.kind in kinds and w.over_ms is None for w in view.warnings):
        return view
    warnings = tuple(
        replace(w, over_ms=view.now_ms) if w.event.kind in kinds and w.over_ms is None else w
        for w in view.warnings
    )
    return replace(view, warnings=warnings)
