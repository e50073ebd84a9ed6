"""What the conduct service hears and says.

Hears partials, `started`, `speech.*`, `progressed`, `transcript.final`, `ended`, its own
`warning.*`, `deduction.appealed` and `appeal.decided`; says `warning.*`, `silence.*`, `hold.*`,
`phrase.*`, `score.changed` and the cards `wrong` and `moment`. Answers `score` and `reload`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import get_args

from contracts.requests import AskScore, Problem, ReloadRules, RulesReloaded, ScoreSheet
from contracts.warning import WarningKind, WarningRaised
from services.common.bus import Bus, RequestFailed
from services.common.said import cards_shown
from services.common.service import Service
from services.common.vectors import AskingEmbedder
from services.conduct.books import RulesWrong, load_rules
from services.conduct.phrases.early import OPEN, Early
from services.conduct.reload import Judge
from services.conduct.scoring import sheet
from services.conduct.settings import Settings


def create_app(settings: Settings) -> Service:
    """The service, wired. A mistake in a rule file stops it at its start, with a sentence."""
    service = Service("conduct", settings)
    partials = service.queues.add("partials", OPEN)
    _count(service)
    judges: list[Judge] = []

    async def reload(_: ReloadRules) -> RulesReloaded:
        if not judges:
            raise RequestFailed(Problem(code="unavailable", message="conduct is still starting"))
        try:
            rules = await asyncio.to_thread(load_rules, settings.conduct)
        except RulesWrong as error:
            service.detail = f"rules not reloaded, those from before hold: {error}"
            service.log.warning(service.detail)
            raise RequestFailed(Problem(code="invalid", message=str(error))) from None
        changed = rules.models != service.models
        judges[0].use(rules)
        service.models, service.detail = rules.models, ""
        service.log.info("rules reloaded", extra={"rules": _named(service)})
        return RulesReloaded(rules=rules.models, changed=changed)

    @asynccontextmanager
    async def judging(bus: Bus) -> AsyncIterator[None]:
        rules = await asyncio.to_thread(load_rules, settings.conduct)
        patience = settings.conduct.patience_s
        embedder = AskingEmbedder(bus, rules.detector.model, patience, service.log)
        early = Early(rules.detector, service.log)
        judge = Judge(rules, embedder, early)
        service.models = rules.models
        service.figures_of = lambda: figures(embedder, early)
        partials.depth, partials.dropped = lambda: early.waiting, lambda: early.dropped
        service.log.info("rules loaded", extra={"rules": _named(service)})
        service.follows_calls(judge)
        judges.append(judge)
        async with early.listening(bus):
            yield

    async def give_score(asked: AskScore) -> ScoreSheet:
        if not judges:
            raise RequestFailed(Problem(code="unavailable", message="conduct is still starting"))
        return await sheet.answer(service.bus, asked, judges[0].rules.score)

    service.answers(ReloadRules, reload)
    service.answers(AskScore, give_score, at_once=4)
    service.lives_with(judging)
    return service


def _count(service: Service) -> None:
    """Count what is said: warnings, also those that are taken back later, and cards."""
    kinds = get_args(WarningKind)
    raised = service.figures.counter("banxi_warnings_total", "warnings raised", rule_kind=kinds)
    service.when_said(WarningRaised, lambda warning, _: raised.at(rule_kind=warning.kind).inc())
    cards_shown(service)


def figures(embedder: AskingEmbedder, early: Early) -> dict[str, float]:
    """How often the meaning had a say, and what partials led to."""
    return {
        "utterances": embedder.asked,
        "words_only": embedder.unanswered,
        "early_warnings": early.raised,
    }


def _named(service: Service) -> str:
    return ", ".join(f"{model.name} {model.version}" for model in service.models)
