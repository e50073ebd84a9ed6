"""`banxi score`: a call's score, with what each deduction rests on."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.events import why
from contracts.requests import AskScore, Deduction, ScoreSheet
from services.common.bus import Bus, RequestFailed
from services.common.settings import ServiceSettings, load
from tools.connection import BusUnreachable, connected, token_of
from tools.evaluate.report import fail

STATES = {"stands": "", "appealed": "申诉中", "confirmed": "申诉未成立", "returned": "已退回"}
console = Console(highlight=False, soft_wrap=True)


def score(
    call_id: Annotated[str, typer.Argument(help="The call, as events and the desk name it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a call's quality score: every deduction with its time and words, what came back on
    appeal, and the items that a machine cannot hear and leaves to the inspector.

    The score is made from what the stream keeps of the call, by the score table that holds now: the
    same call has the same score each time. Works during a call, after it, and until the stream has
    forgotten it (seven days).
    """
    try:
        asked = AskScore(call_id=call_id)
    except ValidationError as error:
        fail(f"no such call can be: {why(error)}")
    try:
        sheet = asyncio.run(_ask(asked))
    except (BusUnreachable, RequestFailed) as error:
        fail(str(error), 1)
    if as_json:
        typer.echo(sheet.model_dump_json())
        return
    console.print(f"[bold]{sheet.score}[/bold] of 100 (score table {escape(sheet.rules)})")
    if sheet.deductions:
        table = Table("at", "points", "item", "words", "appeal")
        for one in sheet.deductions:
            table.add_row(*map(escape, _cells(one)))
        console.print(table)
    items = "；".join(f"{item.name}（{item.points} 分）" for item in sheet.unjudged)
    console.print(f"left to the inspector: {escape(items)}")


def _cells(deduction: Deduction) -> tuple[str, ...]:
    seconds = deduction.at_ms // 1000
    words = " / ".join(e.words for e in deduction.evidence if e.words)
    return (
        f"{seconds // 60}:{seconds % 60:02d}",
        f"-{deduction.points}",
        deduction.name,
        words or deduction.reason,
        STATES[deduction.state],
    )


async def _ask(asked: AskScore) -> ScoreSheet:
    settings = load(ServiceSettings)
    async with connected(settings.nats_url, token_of(settings)) as client:
        bus = Bus(client, site=settings.site, service="score")
        return await bus.request(asked, ScoreSheet, timeout_s=30.0)
