"""`banxi kb rebuild`: the index made again from the database."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from services.common.failure import CannotStart
from services.common.settings import load
from services.knowledge.base import KnowledgeBase
from services.knowledge.settings import Settings
from tools.kb_access import reach_knowledge


def rebuild(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw the index away first; else only complete it.")
    ] = False,
) -> None:
    """Make the search index again from the database, with the embedding model in this process.

    What is there already stays, so an interrupted rebuild goes on where it was stopped. A running
    knowledge service completes its index by itself and says on its health page how much is missing;
    stop it for --fresh, and start it again: it answers by words until vectors are there.
    """
    try:
        done = asyncio.run(_rebuild(load(Settings), fresh=fresh))
    except CannotStart as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if not done:
        typer.echo(
            "the knowledge service is running and keeps its index itself: stop it first, or see "
            "`banxi status` for how much is missing",
            err=True,
        )
        raise typer.Exit(1)


async def _rebuild(settings: Settings, *, fresh: bool) -> bool:
    async with reach_knowledge(settings) as knowledge:
        if knowledge.base is None:
            return False
        if fresh:
            await knowledge.base.rebuild()
        await show_indexing(knowledge.base)
        Console().print(f"the index holds all of {knowledge.base.size} entries")
        return True


async def show_indexing(base: KnowledgeBase) -> None:
    """Wait until all vectors of a base are made, with a bar."""
    waiting = asyncio.create_task(base.indexed())
    total = base.missing
    with Progress(TextColumn("vectors"), BarColumn(), MofNCompleteColumn()) as progress:
        task = progress.add_task("vectors", total=total)
        while not waiting.done():
            total = max(total, base.missing)
            progress.update(task, total=total, completed=total - base.missing)
            await asyncio.wait({waiting}, timeout=0.3)
        progress.update(task, completed=total)
    await waiting
