"""What fills a directory that is still empty, together with an empty base."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from services.common.failure import CannotStart
from services.knowledge.directory.files import read_office_file
from services.knowledge.directory.rows import read_offices
from services.knowledge.directory.store import OfficeStore
from services.knowledge.entries.regions import RegionTree
from services.knowledge.files.table import Unreadable
from services.knowledge.settings import SAMPLE_BASE, SAMPLE_OFFICES, KnowledgeSettings


async def fill_empty_directory(
    store: OfficeStore, settings: KnowledgeSettings, regions: RegionTree, log: logging.Logger
) -> None:
    """Put the table of the settings where there is no office. The sample goes with the sample base
    alone: nobody's callers are told a fictional number. Raises CannotStart where
    the file is no table."""
    path = settings.offices
    if not settings.sample_base or (path == SAMPLE_OFFICES and settings.base != SAMPLE_BASE):
        return
    if await store.offices():
        return
    try:
        rows = await asyncio.to_thread(read_office_file, path)
    except OSError as error:
        raise CannotStart(
            f"BANXI_KNOWLEDGE__OFFICES: {path} cannot be read ({error.strerror})"
        ) from None
    except Unreadable as error:
        raise CannotStart(f"BANXI_KNOWLEDGE__OFFICES: {path} {error}") from None
    taken = read_offices(rows, regions)
    for problem in taken.problems:
        where = {"line": problem.line, "field": problem.field, "problem": problem.message}
        log.warning("office not taken", extra=where)
    await store.put(taken.offices, by=path.name, at=datetime.now(UTC))
    log.info(
        "the directory was empty and was filled",
        extra={"table": path.name, "offices": len(taken.offices)},
    )
