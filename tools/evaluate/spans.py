"""How far what an alarm is about went on: it is raised when it is due, its end comes later."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.base import Event, Role
from contracts.call import CallEnded
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.warning import HoldEnded, SilenceEnded, WarningRaised


def end_ms(warning: WarningRaised, events: Sequence[Event]) -> int:
    """End of a warning's span as the whole call tells it, ms."""
    start = warning.at_ms
    if warning.kind == "interruption":
        ends = [_speaks_until(events, role, start) for role in ("agent", "caller")]
        return max(start, min(end or warning.end_ms for end in ends))
    if warning.kind == "silent_caller":
        voices = [
            e.at_ms
            for e in events
            if isinstance(e, SpeechStarted) and e.role == "caller" and e.at_ms > start
        ]
        over = [e.at_ms for e in events if isinstance(e, CallEnded)]
        return min([*voices, *over], default=warning.end_ms)
    waits = {e.at_ms: e.end_ms for e in events if isinstance(e, SilenceEnded | HoldEnded)}
    return max(warning.end_ms, _waited_until(start, waits))


def _speaks_until(events: Sequence[Event], role: Role, at: int) -> int | None:
    """End of the speech of a side that goes on at `at`, cuts at short pauses bridged."""
    goes_on = {
        e.at_ms for e in events if isinstance(e, SpeechStarted) and e.role == role and e.continues
    }
    spans = sorted(
        (e.at_ms, e.end_ms) for e in events if isinstance(e, SpeechEnded) and e.role == role
    )
    end: int | None = None
    for begin, until in spans:
        if end is None:
            end = until if begin <= at < until else None
        elif begin in goes_on:
            end = until
        else:
            break
    return end


def _waited_until(start: int, ends: dict[int, int]) -> int:
    """End of the wait that began at `start`, ms; one that a noise cut goes on where it was cut."""
    end = ends.get(start, 0)
    while (further := ends.get(end, 0)) > end:
        end = further
    return end
