"""Agreed wordings as entries, so that they are found where their topic comes up. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from contracts.requests import Wording
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree

DEPARTMENT = "统一口径"
"""What stands in the place of a department: the whole hotline says it."""


def wording_entries(
    wordings: Iterable[Wording], regions: RegionTree, zone: tzinfo | None = None
) -> list[Entry]:
    """Entries of wordings that stand: the title as question, the topics as its other wordings,
    the body as what may be said, the supervisor as who authorised it. One for all regions becomes
    an entry of each topmost region. `zone`: of the site's days; None = the machine's."""
    tops = [name for name, parent in regions.parents.items() if parent is None]
    return [
        _entry(wording, region, number, zone)
        for wording in wordings
        for number, region in enumerate([wording.region] if wording.region else tops, start=1)
    ]


def entry_id(wording_id: str, number: int = 1) -> str:
    """Id of a wording's entry: `wording-ID`, of a second one `wording-ID.2`."""
    return f"wording-{wording_id}" + (f".{number}" if number > 1 else "")


def _entry(wording: Wording, region: str, number: int, zone: tzinfo | None) -> Entry:
    return Entry(
        id=entry_id(wording.wording_id, number),
        question=wording.title,
        answer=wording.body,
        department=DEPARTMENT,
        region=region,
        authorised=True,
        valid_to=wording.until.astimezone(zone).date() if wording.until else None,
        ends=wording.until,
        similar=wording.topics,
        authorised_by=wording.announced_by,
        authorised_at=wording.announced_at.astimezone(zone).date(),
        sort="announced",
    )
