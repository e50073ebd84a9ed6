"""Who spoke when, as a row of cells: the picture of a call in sixty-four characters."""

from __future__ import annotations

from services.desk.call_view import CallView

CELLS = 64
FIRST_CELL_MS = 2_000

_WAITS = frozenset(
    {"hold_over_30s", "hold_unannounced", "caller_unattended", "silence", "silent_caller"}
)
SILENCE, AGENT, CALLER, BOTH, HIT, WAIT = ".", "a", "c", "b", "x", "w"


def strip(view: CallView) -> str:
    """One character a cell from the answer of the call to now.

    `a` agent · `c` caller · `b` both · `.` silence · `x` something that must not be was said or
    done · `w` a wait or a silence that was too long. Cells are 2 s long and double whenever the
    row would grow beyond 64: the row grows to the right and what is drawn does not wander.
    """
    end = max(view.ended_ms if view.ended_ms is not None else view.now_ms, 1)
    cell = FIRST_CELL_MS
    while end > cell * CELLS:
        cell *= 2
    count = -(-end // cell)
    heard = {"agent": [0] * count, "caller": [0] * count}
    for span in view.speech:
        _cover(heard[span.role], span.start_ms, end if span.end_ms is None else span.end_ms, cell)
    cells = [_cell(a, c, cell) for a, c in zip(heard["agent"], heard["caller"], strict=True)]
    for warning in view.warnings:
        if warning.counts:
            event = warning.event
            waits = event.kind in _WAITS
            # A wait is marked where it became too long, not from its start.
            at = (event.due_ms if waits else event.at_ms) // cell
            if at < count and (not waits or cells[at] != HIT):
                cells[at] = WAIT if waits else HIT
    return "".join(cells)


def _cover(cells: list[int], start: int, end: int, cell: int) -> None:
    for index in range(max(start // cell, 0), min(len(cells), -(-end // cell))):
        cells[index] += min(end, (index + 1) * cell) - max(start, index * cell)


def _cell(agent: int, caller: int, cell: int) -> str:
    """Who has the cell: whoever spoke in a sixth of it; both where neither prevails."""
    least = cell // 6
    if max(agent, caller) < least:
        return SILENCE
    if min(agent, caller) * 2 > max(agent, caller) and min(agent, caller) >= least:
        return BOTH
    return AGENT if agent > caller else CALLER
