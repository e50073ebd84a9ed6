"""What fills a base that is still empty: the sample base, or a table named by the settings."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from services.common.failure import CannotStart
from services.knowledge.base import KnowledgeBase
from services.knowledge.entries.refusals import SAID
from services.knowledge.files.rows import Rule, read_rows
from services.knowledge.files.table import Unreadable, read_table
from services.knowledge.keeping.store import ImportRefused
from services.knowledge.settings import SAMPLE_BASE, KnowledgeSettings


async def fill_empty(base: KnowledgeBase, settings: KnowledgeSettings, log: logging.Logger) -> None:
    """Put the table of the settings where nothing was ever written: what editors have taken back
    does not return by it. Its entries come as decided, by whom their rows name; those marked
    authorised that name nobody stay so (未记录). Raises CannotStart where the file is no table."""
    if not settings.sample_base or await base.store.number():
        return
    path = settings.base
    try:
        table = await asyncio.to_thread(read_table, path)
    except OSError as error:
        raise CannotStart(
            f"BANXI_KNOWLEDGE__BASE: {path} cannot be read ({error.strerror})"
        ) from None
    except Unreadable as error:
        raise CannotStart(f"BANXI_KNOWLEDGE__BASE: {path} {error}") from None
    taken = read_rows(table.rows, Rule(base.regions, unnamed=True))
    for problem in taken.problems:
        where = {"line": problem.line, "field": problem.field, "problem": problem.message}
        log.warning("row not taken", extra=where)
    try:
        await base.put(taken.entries, by=path.name, at=datetime.now(UTC), unnamed=True)
    except ImportRefused as error:
        entry_id, reason = error.refused[0]
        raise CannotStart(
            f"BANXI_KNOWLEDGE__BASE: {path}, {entry_id}: {SAID[reason].message}"
        ) from None
    sample = " (a fictional province: import your own with `banxi kb import`)"
    log.info(
        "the base was empty and was filled" + (sample if path == SAMPLE_BASE else ""),
        extra={"table": path.name, "entries": len(taken.entries)},
    )
