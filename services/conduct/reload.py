"""The rules in operation: other rules take the place of those that hold, between two utterances."""

from __future__ import annotations

from services.common.calls import Happening, Outcome
from services.common.vectors import AskingEmbedder
from services.conduct.books import Rules
from services.conduct.call import Call
from services.conduct.handler import ConductHandler
from services.conduct.phrases.early import Early


class Judge:
    """Judges every call by the rules that hold. An event that is being judged while they change is
    judged to its end by the old ones. A call keeps what was concluded of it by rules that held
    before; each conclusion names the version it rests on."""

    def __init__(self, rules: Rules, embedder: AskingEmbedder | None, early: Early) -> None:
        self.rules = rules
        self._embedder = embedder
        self._early = early
        self._handler = ConductHandler(rules, embedder)

    def use(self, rules: Rules) -> None:
        """From now on these rules hold, and vectors of the model that their meaning head reads."""
        if self._embedder:
            self._embedder.wants(rules.detector.model)
        self._handler = ConductHandler(rules, self._embedder)
        self._early.use(rules.detector)
        self.rules = rules

    def open(self, call_id: str, site: str) -> Call:
        """A call of which nothing has happened yet."""
        return self._handler.open(call_id, site)

    async def handle(self, state: Call, happening: Happening) -> Outcome[Call]:
        """Fold one event in and say what follows from it."""
        self._early.followed(happening)
        return await self._handler.handle(state, happening)

    def let_go(self, call_id: str) -> None:
        """The call is over, or another replica's."""
        self._early.let_go(call_id)
