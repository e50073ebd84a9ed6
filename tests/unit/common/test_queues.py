"""How queues are shown: opened later than they are named, read when somebody looks."""

from __future__ import annotations

import pytest

from services.common.figures import Figures
from services.common.queues import Queues

pytestmark = pytest.mark.unit


def test_a_queue_is_empty_until_the_real_one_is_there() -> None:
    figures = Figures("conduct")
    queues = Queues(figures)
    partials = queues.add("partials", 4)
    real, room = [1, 2, 3], [8]
    queues.add("later_work", lambda: room[0], lambda: 2)
    before = figures.now()
    assert (before["queue_depth{partials}"], before["dropped{partials}"]) == (0, 0)
    partials.depth, partials.dropped = lambda: len(real), lambda: 5
    assert figures.now() == {
        "queue_depth{partials}": 3,
        "queue_limit{partials}": 4,
        "dropped{partials}": 5,
        "queue_depth{later_work}": 2,
        "queue_limit{later_work}": 8,
        "dropped{later_work}": 0,
    }
