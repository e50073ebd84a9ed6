"""Numbered messages for one page: whoever comes back gets exactly what was missed, or all anew."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.desk.agent_page import line as line_json
from services.desk.call_view import Line
from services.desk.wire import Sections

KEEP = 1_000
"""How many messages can be made up for; beyond that the page is sent anew."""


@dataclass(slots=True)
class _Shown:
    """A call as the feed last told it."""

    sections: Sections
    lines: dict[str, Line] = field(default_factory=dict)
    told: tuple[Line, ...] = ()
    """The lines as they came last: mostly nothing changed in them."""


class Feed:
    """What one page shows, and how it came about. `epoch` names this run of the desk: numbers of
    another run mean nothing here."""

    def __init__(self, epoch: str, keep: int = KEEP) -> None:
        self.number = 0
        self._epoch = epoch
        self._told: deque[tuple[int, str]] = deque(maxlen=keep)
        self._calls: dict[str, _Shown] = {}
        self._figures: Sections = {}
        self._listeners: set[Callable[[str], None]] = set()

    @property
    def calls(self) -> set[str]:
        """Ids of the calls on the page."""
        return set(self._calls)

    def show(self, call_id: str, sections: Sections, lines: tuple[Line, ...] = ()) -> None:
        """Put a call on the page, or tell what changed in it; nothing where nothing did."""
        shown = self._calls.setdefault(call_id, _Shown({}))
        changed = {k: v for k, v in sections.items() if shown.sections.get(k, _NOTHING) != v}
        fresh = () if lines is shown.told else lines
        new = {line.line_id: line for line in fresh if shown.lines.get(line.line_id) != line}
        shown.told = lines
        if not changed and not new:
            return
        shown.sections |= changed
        shown.lines |= new
        message: dict[str, Any] = {"call": call_id}
        if changed:
            message["set"] = changed
        if new:
            message["lines"] = {key: line_json(line) for key, line in new.items()}
        self._tell(message)

    def hide(self, call_id: str) -> None:
        """Take a call off the page."""
        if self._calls.pop(call_id, None) is not None:
            self._tell({"gone": call_id})

    def figures(self, figures: Sections) -> None:
        """Tell what the page shows beside calls, by name, where it changed."""
        changed = {k: v for k, v in figures.items() if self._figures.get(k, _NOTHING) != v}
        if changed:
            self._figures |= changed
            self._tell({"figures": changed})

    def attach(self, listener: Callable[[str], None], epoch: str, last: int) -> list[str]:
        """Begin to listen. Returns what must be sent first: everything after number `last`, or
        a snapshot where that can no longer be made up for. Nothing falls in between."""
        self._listeners.add(listener)
        oldest = self._told[0][0] if self._told else self.number + 1
        if epoch == self._epoch and oldest - 1 <= last <= self.number:
            return [text for number, text in self._told if number > last]
        return [self._snapshot()]

    def detach(self, listener: Callable[[str], None]) -> None:
        """Listen no longer."""
        self._listeners.discard(listener)

    def _tell(self, message: dict[str, Any]) -> None:
        self.number += 1
        text = _json({"type": "change", "n": self.number, **message})
        self._told.append((self.number, text))
        for listener in tuple(self._listeners):
            listener(text)

    def _snapshot(self) -> str:
        calls = {
            call_id: {
                "set": shown.sections,
                "lines": {key: line_json(line) for key, line in shown.lines.items()},
            }
            for call_id, shown in self._calls.items()
        }
        return _json(
            {
                "type": "snapshot",
                "epoch": self._epoch,
                "n": self.number,
                "calls": calls,
                "figures": self._figures,
            }
        )


_NOTHING = object()


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
