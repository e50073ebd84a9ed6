"""How many forbidden phrases were said today: counted apart, since it looks back to midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from contracts.base import Event
from contracts.call import CallStarted
from contracts.feedback import FeedbackGiven
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn


def midnight(now: datetime, zone: tzinfo) -> datetime:
    """The beginning of the site's day."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


class Tally:
    """Forbidden phrases and calls of the site's present day."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._phrases: dict[tuple[str, str], date] = {}
        self._unsure: dict[tuple[str, str], date] = {}
        self._calls: dict[str, date] = {}
        self._today: date | None = None

    def take(self, event: Event) -> None:
        """Count an event; those of earlier days fall out."""
        day = event.wall_time.astimezone(self._zone).date()
        if isinstance(event, CallStarted):
            self._calls[event.call_id] = day
        elif isinstance(event, WarningRaised):
            if event.kind == "forbidden_phrase" and event.level == "alarm":
                # What may yet be withdrawn counts once it is confirmed.
                counted = self._unsure if event.provisional else self._phrases
                counted.setdefault((event.call_id, event.warning_id), day)
        elif isinstance(event, WarningConfirmed):
            key = (event.call_id, event.warning_id)
            if unsure := self._unsure.pop(key, None):
                self._phrases.setdefault(key, unsure)
        elif isinstance(event, WarningWithdrawn):
            self._drop(event.call_id, event.warning_id)
        elif isinstance(event, FeedbackGiven) and event.verdict == "wrong":
            self._drop(event.call_id, event.target_id)

    def counts(self, now: datetime) -> tuple[int, int]:
        """Forbidden phrases and calls since midnight."""
        today = now.astimezone(self._zone).date()
        if today != self._today:
            oldest = today - timedelta(days=1)
            self._phrases = {k: d for k, d in self._phrases.items() if d >= oldest}
            self._unsure = {k: d for k, d in self._unsure.items() if d >= oldest}
            self._calls = {k: d for k, d in self._calls.items() if d >= oldest}
            self._today = today
        phrases = sum(day == today for day in self._phrases.values())
        return phrases, sum(day == today for day in self._calls.values())

    def _drop(self, call_id: str, warning_id: str) -> None:
        self._phrases.pop((call_id, warning_id), None)
        self._unsure.pop((call_id, warning_id), None)
