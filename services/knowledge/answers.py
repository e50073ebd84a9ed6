"""Everything that the knowledge service is asked, together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from contracts.requests import SearchKnowledge
from services.common.service import Service
from services.knowledge.announced.requests import WordingRequests
from services.knowledge.directory.requests import OfficeRequests
from services.knowledge.entries.region_requests import RegionRequests
from services.knowledge.entries.regions import RegionTree
from services.knowledge.entries.requests import EntryRequests
from services.knowledge.files.requests import ImportRequests
from services.knowledge.gaps.keeper import GapKeeper
from services.knowledge.gaps.requests import GapRequests
from services.knowledge.opening import Kept
from services.knowledge.requests import Requests


class Answers:
    """Answers from the start; what needs the base says so until it is open."""

    def __init__(self, regions: RegionTree, home: str, today: Callable[[], date]) -> None:
        """`home`: the site's region. `today`: the day that decides what is valid."""
        self.wordings = WordingRequests(regions)
        self._searches = Requests(today)
        self._entries = EntryRequests(regions, today)
        self._imports = ImportRequests(regions, today)
        self._gaps = GapRequests()
        self._offices = OfficeRequests(regions)
        self._regions = RegionRequests(regions, home)
        self._entries.drafted = self._gaps.drafted

    def answer_on(self, service: Service) -> None:
        """Say what this answers."""
        service.answers(SearchKnowledge, self._searches.search)
        self._entries.answer_on(service)
        self._imports.answer_on(service)
        self.wordings.answer_on(service)
        self._gaps.answer_on(service)
        self._offices.answer_on(service)
        self._regions.answer_on(service)

    def use(self, kept: Kept, gaps: GapKeeper) -> None:
        """Answer from what is open now."""
        base = kept.base
        self._searches.use(base, kept.completed)
        self._entries.use(base.store, base.refresh)
        self._imports.use(base.store, base.refresh)
        self.wordings.use(kept.wordings, base.refresh)
        self._offices.use(kept.offices, base.refresh)
        self._gaps.use(gaps)
