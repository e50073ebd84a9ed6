"""The bounded queues of a service, as its figures show them: how much waits, of how much at most,
and what was given up because there was no room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.common.figures import Figures


@dataclass(slots=True)
class Queue:
    """One of them, or one of a kind: where every call or page has its own, the fullest counts.
    Whoever opens the real one sets how it is read; until then it is empty."""

    limit: Callable[[], float]
    """How much may wait."""
    depth: Callable[[], float]
    """How much waits."""
    dropped: Callable[[], float]
    """How much was given up since the start."""


class Queues:
    """All of a service. Their names stand in its code, and with them the values of the label."""

    def __init__(self, figures: Figures) -> None:
        self._queues: dict[str, Queue] = {}
        names = self._queues.keys()  # grows with them

        def read(name: str, meaning: str, of: Callable[[Queue], float]) -> None:
            def levels() -> dict[str, float]:
                return {name: of(queue) for name, queue in self._queues.items()}

            figures.read(name, meaning, levels, queue=names)

        read("banxi_queue_depth", "what waits in a bounded queue", lambda q: q.depth())
        read("banxi_queue_limit", "how much may wait in it", lambda q: q.limit())
        read("banxi_dropped_total", "what was given up for want of room", lambda q: q.dropped())

    def add(
        self,
        name: str,
        limit: float | Callable[[], float],
        depth: Callable[[], float] = int,
        dropped: Callable[[], float] = int,
    ) -> Queue:
        """Show a queue, while the service is wired. What is never given up has no `dropped`."""
        most = limit if callable(limit) else lambda: limit
        queue = self._queues[name] = Queue(most, depth, dropped)
        return queue
