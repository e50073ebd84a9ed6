"""The service's view of calls: the policy's fold, and the board that learns of escalations."""

from __future__ import annotations

from contracts.base import Event
from services.common.calls import CallSettled, Happening, Outcome
from services.escalation.life import Board
from services.escalation.policy import follow
from services.escalation.view import CallView, Policy


class EscalationHandler:
    """Feeds the policy, and the board. The board takes the same event twice without harm, so that
    a rebuilt call does not disturb it."""

    def __init__(self, policy: Policy, board: Board) -> None:
        self._policy = policy
        self._board = board

    def open(self, call_id: str, site: str) -> CallView:
        """A call of which nothing has happened yet."""
        return CallView(call_id, site)

    async def handle(self, state: CallView, happening: Happening) -> Outcome[CallView]:
        """Fold one event in."""
        if isinstance(happening, CallSettled):
            return Outcome(state)
        event: Event = happening
        self._board.learn(event)
        view, events = follow(state, event, self._policy)
        return Outcome(view, events)
