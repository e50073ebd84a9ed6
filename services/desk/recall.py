"""After a start: older calls that the pages still need, read behind the scenes.

The calls of the last hours are read before the pages open. Here come the calls whose appeals
wait, however old (the stream keeps a week), and the ended calls of the shift.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg

from contracts import subjects
from contracts.base import Event
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.events import NotAContract, read_event
from contracts.feedback import FeedbackGiven
from contracts.phrase import PhraseDue, PhraseSaid
from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from contracts.situation import SituationRecognised
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.common.bus import Bus, patiently
from services.common.kept import read_call, read_kept
from services.common.tasks import ended
from services.desk.call_view import CallView
from services.desk.fold import fold
from services.desk.follow import Follower, in_background
from services.desk.pages import Pages
from services.desk.shift import SHIFT_S, brief

MAX_APPEALED = 500
"""How many calls with appeals are read again at most; the newest appeals go first."""

_NEEDED: tuple[type[Event], ...] = (
    CallStarted,
    CallEnded,
    CallTypeAssessed,
    CallTypeTurned,
    SituationRecognised,
    PhraseDue,
    PhraseSaid,
    WarningRaised,
    WarningConfirmed,
    WarningWithdrawn,
    FeedbackGiven,
    ScoreChanged,
    DeductionAppealed,
    AppealDecided,
)
"""What the list of the shift and its details are made of."""


class Recall:
    """Reads once and is done. A call that is on the board already is left alone."""

    def __init__(self, bus: Bus, pages: Pages, log: logging.Logger) -> None:
        self._bus = bus
        self._pages = pages
        self._log = log
        self._shift: dict[str, CallView] = {}

    @asynccontextmanager
    async def running(
        self, ready: asyncio.Event, failed: Callable[[str], None]
    ) -> AsyncIterator[None]:
        """Read in the background once the pages are open."""
        task = in_background(self._run(ready, failed), failed)
        try:
            yield
        finally:
            await ended(task)

    async def _run(self, ready: asyncio.Event, failed: Callable[[str], None]) -> None:
        await ready.wait()
        for call_id in await patiently(self._appealed, self._log):
            await self._recall(call_id)
        await self._read_shift(failed)

    async def _appealed(self) -> list[str]:
        """Calls with an appeal that waits or was decided in the shift, the newest first."""
        made: dict[tuple[str, str], str] = {}
        async for event in self._of_site(DeductionAppealed):
            assert isinstance(event, DeductionAppealed)
            made[event.call_id, event.deduction_id] = event.call_id
        since = datetime.now(UTC) - timedelta(seconds=SHIFT_S)
        async for event in self._of_site(AppealDecided):
            assert isinstance(event, AppealDecided)
            if event.wall_time.replace(tzinfo=event.wall_time.tzinfo or UTC) < since:
                made.pop((event.call_id, event.deduction_id), None)
        calls = list(dict.fromkeys(reversed(made.values())))
        if len(calls) > MAX_APPEALED:
            self._log.warning("more appeals than are read again", extra={"calls": len(calls)})
        return calls[:MAX_APPEALED]

    def _of_site(self, kind: type[Event]) -> AsyncIterator[Event]:
        return read_kept(self._bus, subjects.stored_call(self._bus.site, "*", kind.event))

    async def _recall(self, call_id: str) -> None:
        """Read a call again. What happens in it meanwhile was either read, or comes to the board
        after it was taken in: nothing is awaited in between."""
        if self._is_known(call_id):
            return
        events = await patiently(
            lambda: read_call(self._bus, self._bus.site, call_id), self._log, call_id
        )
        view = CallView(call_id)
        for event in events:
            if isinstance(event, _NEEDED) and event.call_id == call_id:
                view = self._folded(view, event)
        self._pages.adopt([brief(view)], datetime.now(UTC))

    async def _read_shift(self, failed: Callable[[str], None]) -> None:
        since = datetime.now(UTC) - timedelta(seconds=SHIFT_S)
        wanted = [subjects.stored_call(self._bus.site, "*", kind.event) for kind in _NEEDED]
        follower = Follower(self._bus.js, wanted, since, self._take, self._log)
        async with follower.running(failed):
            await follower.caught_up.wait()
        unseen: list[CallView] = []
        touched: list[CallView] = []
        for view in self._shift.values():
            if view.started_at and view.ended_at and not self._is_known(view.call_id):
                # Something just happened in a call nobody knew: it may be missing here.
                fresh = self._pages.board.get(view.call_id) is None
                (unseen if fresh else touched).append(view)
        self._shift = {}
        self._pages.adopt(unseen, datetime.now(UTC))
        for view in touched:
            await self._recall(view.call_id)

    async def _take(self, message: Msg) -> None:
        where = subjects.parse_stored(message.subject)
        if where is None or self._is_known(where.call_id):
            return
        # What is no contract was reported when it was new.
        with suppress(NotAContract):
            event = read_event(where.event, message.data)
            if (event.call_id, event.site) == (where.call_id, where.site):
                view = self._shift.get(event.call_id) or CallView(event.call_id)
                self._shift[event.call_id] = self._folded(view, event)

    def _folded(self, view: CallView, event: Event) -> CallView:
        try:
            return fold(view, event)
        except Exception as error:
            # One event that cannot be shown must not keep the desk from its work; it became a
            # dead letter when it was new.
            reason = f"cannot be shown: {type(error).__name__}"
            self._log.error(reason, extra={"call": event.call_id, "event": event.event})
            return view

    def _is_known(self, call_id: str) -> bool:
        view = self._pages.board.get(call_id)
        return view is not None and view.started_at is not None
