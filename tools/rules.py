"""`banxi rules`: check rule files, bring them into the running system, hear what agents think."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.requests import (
    CountFeedback,
    FeedbackCounted,
    ReloadRules,
    Reply,
    Request,
    RuleFeedback,
    RulesReloaded,
)
from services.common.bus import Bus, RequestFailed
from services.common.settings import ServiceSettings, load
from services.conduct.books import RulesWrong, load_rules
from services.conduct.settings import Settings
from tools.connection import BusUnreachable, connected, token_of
from tools.evaluate.report import fail

RELOAD_S = 30.0
"""How long reading all rule files may take, seconds."""

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "The rules of conduct: phrases, times, required wordings.\n\n"
        "They are files for people to edit. Copy one from services/conduct/data, name the copy in "
        "its setting (BANXI_CONDUCT__PHRASES for the forbidden phrases; `banxi settings` lists "
        "them), change it, then: `banxi rules check` finds mistakes, `banxi eval conduct FILE "
        "--rules NEW --against OLD` shows on recorded words what would change, and `banxi rules "
        "reload` brings it into the running system, from the next utterance on, in every call."
    ),
)
console = Console(highlight=False, soft_wrap=True)
Own = Annotated[
    Path | None, typer.Option(help="File to check in place of the one in the settings.")
]
Answer = TypeVar("Answer", bound=Reply)


@app.command()
def check(
    context: typer.Context,
    phrases: Own = None,
    waiting: Own = None,
    required: Own = None,
    score: Own = None,
    manner: Own = None,
    meaning: Own = None,
) -> None:
    """Check the rule files: those of the settings, or files named here.

    Needs nothing that runs. Names every file that is wrong, with line, entry and field. Exit code
    1 where one is.
    """
    given = {name: path for name, path in context.params.items() if path is not None}
    own = load(Settings).conduct.model_copy(update=given)
    try:
        rules = load_rules(own)
    except RulesWrong as wrong:
        for problem in wrong.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(1) from None
    for model in rules.models:
        console.print(f"{model.name} {model.version}")
    console.print("all rule files are good")


@app.command()
def reload() -> None:
    """Have the running system read its rule files again.

    Where all are right they hold from the next utterance on, in calls that are going on too. Where
    one is wrong nothing changes, the mistake is named, and `banxi status` shows it until a reload
    succeeds. Warnings name the version of their rules: the file's own, and a digest of its content.
    """
    done = _ask(ReloadRules(), RulesReloaded, timeout_s=RELOAD_S)
    for model in done.rules:
        console.print(f"{model.name} {model.version}")
    console.print("these rules hold now" if done.changed else "nothing has changed")


@app.command()
def feedback(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back, days.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count what agents said of each rule's cards and warnings, the one most often wrong first.

    Useful is 已采用, wrong is 不对 / 误报, dismissed is 知道了; the last word on a card counts. A
    rule with many verdicts and a high share of wrong ones needs an exception or another wording.
    """
    counted = _ask(CountFeedback(within_days=days), FeedbackCounted)
    names = _names()
    if as_json:
        rows = [
            {"rule": r.rule, "canonical": names.get(r.rule, ""), **_figures(r)}
            for r in counted.rules
        ]
        typer.echo(json.dumps({"days": days, "rules": rows}, ensure_ascii=False))
        return
    if not counted.rules:
        console.print(f"no feedback within {days} days")
        return
    table = Table("rule", "wording", "useful", "wrong", "dismissed", "share wrong")
    for rule in counted.rules:
        cells = [f"{v:.0%}" if k == "share_wrong" else str(v) for k, v in _figures(rule).items()]
        table.add_row(escape(rule.rule), escape(names.get(rule.rule, "")), *cells)
    console.print(table)


def _figures(rule: RuleFeedback) -> dict[str, float]:
    verdicts = rule.useful + rule.wrong + rule.dismissed
    return {
        "useful": rule.useful,
        "wrong": rule.wrong,
        "dismissed": rule.dismissed,
        "share_wrong": round(rule.wrong / verdicts, 4) if verdicts else 0.0,
    }


def _names() -> dict[str, str]:
    """What each rule is about, as far as the rule files here tell; feedback also comes on cards of
    other services."""
    try:
        rules = load_rules(load(Settings).conduct)
    except RulesWrong:
        return {}
    behaviour = rules.waiting.file.warnings | rules.manner.file.warnings
    told: dict[str, str] = {kind: text.message for kind, text in behaviour.items()}
    told |= {phrase.id: phrase.name for phrase in rules.required.phrases}
    return told | {rule.id: rule.canonical for rule in rules.phrases.rules.values()}


def _ask(request: Request, reply: type[Answer], *, timeout_s: float = 10.0) -> Answer:
    """The running system's answer; ends the command with a sentence where there is none."""

    async def ask() -> Answer:
        settings = load(ServiceSettings)
        async with connected(settings.nats_url, token_of(settings)) as client:
            bus = Bus(client, site=settings.site, service="rules")
            return await bus.request(request, reply, timeout_s=timeout_s)

    try:
        return asyncio.run(ask())
    except (BusUnreachable, RequestFailed) as error:
        fail(str(error), 1)
