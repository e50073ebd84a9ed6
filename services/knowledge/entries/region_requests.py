"""The table of regions, for whoever lets people choose one."""

from __future__ import annotations

from contracts.requests import ListRegions, Region, RegionsListed
from services.common.service import Service
from services.knowledge.entries.regions import RegionTree


class RegionRequests:
    """Answers from the table; there from the start, whatever the database does."""

    def __init__(self, regions: RegionTree, home: str) -> None:
        listed = tuple(Region(name=name, parent=parent) for name, parent in regions.parents.items())
        self._listed = RegionsListed(regions=listed, home=home)

    def answer_on(self, service: Service) -> None:
        """Say what this answers."""
        service.answers(ListRegions, self.list)

    async def list(self, asked: ListRegions) -> RegionsListed:
        """All regions."""
        return self._listed
