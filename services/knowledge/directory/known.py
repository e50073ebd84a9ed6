"""Who is responsible, by the directory, and what a transfer to him says. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from contracts.card import Source
from contracts.requests import Office
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.wording import fold

Completed = Callable[[Source, str | None], Source]
"""The source of a transfer with what the directory knows of its department now, where the entry
itself does not say; any other as it is. The second is the caller's region; None = the site's."""


class Directory:
    """The offices as they were read at one moment."""

    def __init__(self, offices: Iterable[Office] = ()) -> None:
        # By name, since every card of a transfer that stands asks several times a second.
        self._called: defaultdict[str, list[Office]] = defaultdict(list)
        for office in offices:
            for name in {fold(name) for name in (office.name, *office.aliases)}:
                self._called[name].append(office)

    def responsible(self, department: str, region: str, regions: RegionTree) -> Office | None:
        """The office of that name, or called so, that serves a region: of several the one of the
        nearest region."""
        wanted = fold(department)
        chain = regions.chain(region)
        # Its own name counts more than what another one is called.
        return min(
            (office for office in self._called.get(wanted, ()) if office.region in chain),
            key=lambda office: (chain.index(office.region), fold(office.name) != wanted),
            default=None,
        )

    def completed(self, source: Source, region: str, regions: RegionTree) -> Source:
        """See `Completed`. A liaison's number stands beside the name, for the agent who transfers:
        never as the number that callers are told."""
        if source.authorised or (source.phone and source.liaison):
            return source
        office = self.responsible(source.department, region, regions) or self.responsible(
            source.department, source.region, regions
        )
        if office is None:
            return source
        liaison = office.liaison or None
        if liaison and office.liaison_phone:
            liaison = f"{liaison}（转接用 {office.liaison_phone}，不报给来电人）"
        phone = source.phone or office.phone or None
        return source.model_copy(update={"phone": phone, "liaison": source.liaison or liaison})
