"""The service's view of calls: every event is written before it is acknowledged."""

from __future__ import annotations

from datetime import UTC, datetime

from services.common.calls import CallSettled, Happening, Outcome
from services.records.digest import keep
from services.records.store import Store


class RecordsHandler:
    """Writes each event once: the database knows an event by its id, so that one that comes again,
    or is folded again to rebuild a call, changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, call_id: str, site: str) -> None:
        """Nothing is held of a call: the database is all there is."""

    async def handle(self, state: None, happening: Happening) -> Outcome[None]:
        """Write one event."""
        if not isinstance(happening, CallSettled):
            await self._store.keep(keep(happening, datetime.now(UTC)))
        return Outcome(None)
