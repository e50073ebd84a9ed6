"""Events for the desk's unit tests: a call that began at noon, and what happens in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.base import Event
from services.desk.call_view import CallView
from services.desk.fold import fold
from tests.connected.desk.story import Story

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def stamped(story: Story) -> list[Event]:
    """The story's events, published at the pace of talk from noon on."""
    return [
        event.model_copy(update={"wall_time": NOON + timedelta(milliseconds=at)})
        for at, event in story.in_order()
    ]


def folded(events: Iterable[Event], view: CallView | None = None) -> CallView:
    """The view after these events."""
    view = view or CallView("c1")
    for event in events:
        view = fold(view, event)
    return view


def after(story: Story) -> CallView:
    """The view after a story."""
    return folded(stamped(story))


def begun(**who: Any) -> Story:
    """A call that was just answered."""
    return Story("main", **who)
