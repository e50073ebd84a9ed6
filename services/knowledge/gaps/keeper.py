"""Keeps the gaps: what is asked joins its like, and closes when an entry serves it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import UNSTAMPED
from contracts.gap import GapNoted
from contracts.requests import Gap, GapState, HandleGap, NoteGap
from services.common.tasks import ended
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.asking import Found
from services.knowledge.finding.background import Vectors
from services.knowledge.gaps import store
from services.knowledge.gaps.likeness import Shelf, likeness
from services.knowledge.gaps.masking import masked
from services.knowledge.gaps.meaning import AT_ONCE, Meaning
from services.knowledge.gaps.store import Asking
from services.knowledge.gaps.tables import GapRow
from services.knowledge.keeping.database import Database, DatabaseDown
from services.knowledge.keeping.deeds import last_number

FOLLOW_S = 1.0
"""So often it is looked whether entries of gaps changed."""
LONGEST = 500
"""Characters of an asking that are kept."""
MEASURED = 100
"""Askings of a gap, the latest, that are asked again to see how many an entry would serve."""
WORDINGS = 12
"""Wordings of a draft that askings are compared with."""


class UnknownGap(LookupError):
    """There is no such gap."""


class UnknownEntry(LookupError):
    """There is no such entry."""


class Base(Protocol):
    """What the keeper asks the knowledge base."""

    async def find(
        self, text: str, before: Sequence[str], region: str | None, day: date
    ) -> Found | None:
        """What may be told on a question."""
        ...


class GapKeeper:
    """Reads and writes gaps. Use inside `async with keeper.running():`. Raises DatabaseDown where
    the database is away.

    A gap asked again counts on, whatever its state. One that an entry answers is opened again when
    it is asked and that entry does not serve.
    """

    def __init__(
        self,
        database: Database,
        base: Base,
        meaning: Meaning,
        regions: RegionTree,
        home: str,
        *,
        today: Callable[[], date],
        log: logging.Logger,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`home`: the site's region, where an asking belongs that names none."""
        self._database = database
        self._base = base
        self._meaning = meaning
        self._regions = regions
        self._home = home
        self._today = today
        self._now = now
        self._log = log
        self._turn = asyncio.Lock()
        self._shelf = Shelf()
        self._shelved = 0
        self._shelf_model: str | None = None
        self._done = -1
        self._day: date | None = None
        self._measure: dict[str, None] = {}
        self._measured: dict[str, int] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the entries of gaps meanwhile."""
        task = asyncio.create_task(self._follow(), name="knowledge-gaps")
        try:
            yield
        finally:
            await ended(task)

    async def noted(self, event: GapNoted) -> None:
        """Keep what a caller asked and was not found. The same event again changes nothing."""
        words = "，".join(part.words for part in event.evidence if part.words)
        if not words.strip():
            return
        at = event.wall_time if event.wall_time != UNSTAMPED else self._now()
        await self._keep(Asking(event.event_id, event.call_id, at, _kept(words), event.region))

    async def note(self, asked: NoteGap) -> Gap:
        """Keep what an agent says was asked and not found."""
        words = _kept(asked.words)
        digest = hashlib.sha256(f"{asked.by}\n{words}".encode()).hexdigest()[:16]
        return await self._keep(
            Asking(
                event_id=f"{asked.call_id}:note:{digest}",
                call_id=asked.call_id,
                at=self._now(),
                words=words,
                region=asked.region,
                note=masked(asked.note.strip()),
                noted_by=asked.by.strip(),
            )
        )

    async def drafted(self, gap_id: str, entry_id: str, by: str) -> Gap:
        """An entry was drafted, or named, that is to close a gap. Raises UnknownGap, UnknownEntry
        (nothing of that id is drafted or counts)."""
        async with self._database.writing() as session:
            gap = await _gap(session, gap_id)
            state = await store.state_by_entry(session, entry_id, self._today())
            if state == "open":
                raise UnknownEntry(entry_id)
            gap.entry_id, gap.state = entry_id, state
            gap.handled_by, gap.handled_at, gap.reason = by.strip(), self._now(), ""
        return await self._measure_now(gap_id)

    async def handle(self, asked: HandleGap) -> Gap:
        """Dismiss, reopen or link a gap. Raises UnknownGap, UnknownEntry."""
        if asked.act == "link":
            if asked.entry_id is None:
                raise UnknownEntry("")
            await self.drafted(asked.gap_id, asked.entry_id, asked.by)
        async with self._database.writing() as session:
            gap = await _gap(session, asked.gap_id)
            if asked.act != "link":
                gap.state = "dismissed" if asked.act == "dismiss" else "open"
                gap.entry_id, gap.would_serve = None, 0
            gap.handled_by, gap.handled_at = asked.by.strip(), self._now()
            gap.reason = masked(asked.reason.strip())
            return await store.shown(session, gap)

    async def listed(self, state: GapState, skip: int, limit: int) -> tuple[tuple[Gap, ...], int]:
        """A page of gaps, most often asked first, and how many there are. How many askings their
        entries would serve is looked up again meanwhile, where the base has changed."""
        async with self._database.reading() as session:
            number = await last_number(session)
            gaps, total = await store.listed(session, state, skip, limit)
        for gap in gaps:
            if gap.entry_id is not None and self._measured.get(gap.gap_id) != number:
                self._measure[gap.gap_id] = None
        return gaps, total

    async def _keep(self, asking: Asking) -> Gap:
        made = await self._meaning.vectors([asking.words])
        vector = made[0] if made else None
        async with self._turn, self._database.writing() as session:
            await self._catch_up(session)
            known = await store.is_known(session, asking.event_id)
            if known is not None:
                return await store.shown(session, await _gap(session, known))
            gap_id = await self._gap_of(session, asking.words, vector)
            before = await store.asked_in_call(session, gap_id, asking.call_id) if gap_id else None
            if before is not None:
                # Asked twice in one call is asked once; what the agent says of it counts.
                if asking.noted_by is not None:
                    before.note, before.noted_by = asking.note, asking.noted_by
            else:
                model = self._meaning.model
                gap_id = (await store.add(session, gap_id, asking, model, vector)).id
            assert gap_id is not None
            gap = await store.shown(session, await _gap(session, gap_id))
        if gap.state == "answered" and not await self._serves(
            gap.entry_id, asking.words, asking.region
        ):
            gap = await self._reopen(gap_id)
        elif gap.entry_id is not None:
            self._measure[gap_id] = None
        return gap

    async def _gap_of(
        self, session: AsyncSession, words: str, vector: Vectors | None
    ) -> str | None:
        """The gap an asking belongs to; None where it is a new matter."""
        gap_id = await asyncio.to_thread(self._shelf.gap_of, words, vector)
        if gap_id is None or await session.get(GapRow, gap_id) is not None:
            return gap_id
        # Old gaps were purged: what is remembered of them goes, too.
        self._shelf_model, self._shelf, self._shelved = None, Shelf(), 0
        await self._catch_up(session)
        return await asyncio.to_thread(self._shelf.gap_of, words, vector)

    async def _catch_up(self, session: AsyncSession) -> None:
        """Bring the shelf to what the database holds."""
        if self._shelf_model != self._meaning.model:
            self._shelf, self._shelved = Shelf(), 0
            self._shelf_model = self._meaning.model
        self._shelved, known = await store.known_after(session, self._shelved, self._shelf_model)
        self._shelf.add(known)

    async def _serves(self, entry_id: str | None, words: str, region: str | None) -> bool:
        found = await self._base.find(words, (), region, self._today())
        return found is not None and found.ruling.source.entry_id == entry_id

    async def _reopen(self, gap_id: str) -> Gap:
        async with self._database.writing() as session:
            gap = await _gap(session, gap_id)
            if gap.state == "answered":
                gap.state = "open"
            return await store.shown(session, gap)

    async def _measure_now(self, gap_id: str) -> Gap:
        async with self._database.reading() as session:
            number = await last_number(session)
            gap = await _gap(session, gap_id)
            state, entry_id = gap.state, gap.entry_id
            asked = await store.askings(session, gap_id, MEASURED)
            draft = await store.drafted_wordings(session, entry_id) if entry_id else None
        served = 0
        if state == "drafted" and draft is not None:
            served = await self._about(asked, *draft)
        elif entry_id is not None:
            served = sum([await self._serves(entry_id, *one) for one in asked])
        async with self._database.writing() as session:
            row = await _gap(session, gap_id)
            if row.entry_id == entry_id:
                row.would_serve = served
            self._measured[gap_id] = number
            return await store.shown(session, row)

    async def _about(
        self, asked: Sequence[tuple[str, str | None]], wordings: Sequence[str], region: str
    ) -> int:
        """How many askings of its region a draft is about."""
        wordings = wordings[:WORDINGS]
        ours = [words for words, r in asked if region in self._regions.chain(r or self._home)]
        made = await self._meaning.vectors([*ours, *wordings]) if ours else []

        def same(i: int, j: int) -> bool:
            near = float(made[i] @ made[len(ours) + j]) if made else None
            return likeness(ours[i], wordings[j], near) > 0

        return sum(any(same(i, j) for j in range(len(wordings))) for i in range(len(ours)))

    async def _follow(self) -> None:
        told = False
        while True:
            try:
                await self.follow()
                told = False
            except DatabaseDown as error:
                if not told:
                    self._log.warning("gaps wait for the database", extra={"why": str(error)})
                told = True
            except Exception:  # one gap that cannot be followed is not the end of all others
                if not told:
                    self._log.exception("gaps cannot be followed")
                told = True
            await asyncio.sleep(FOLLOW_S)

    async def follow(self) -> None:
        """Bring gaps to what their entries are now, and make vectors that are missing."""
        async with self._database.reading() as session:
            number = await last_number(session)
        today = self._today()
        if number != self._done or today != self._day:
            await self._follow_entries(self._done if today == self._day else None)
            self._done, self._day = number, today
        while self._measure:
            gap_id = next(iter(self._measure))
            del self._measure[gap_id]
            await self._measure_now(gap_id)
        await self._make_missing()

    async def _follow_entries(self, since: int | None) -> None:
        """`since`: number of the deed after which to look; None = at all entries of gaps."""
        async with self._database.reading() as session:
            if not await store.followed(session, since):
                return
        async with self._database.writing() as session:
            for gap in await store.followed(session, since):
                assert gap.entry_id is not None
                gap.state = await store.state_by_entry(session, gap.entry_id, self._today())
                if gap.state == "open":  # its draft was put away, or its entry withdrawn
                    gap.would_serve = 0
                elif since is not None:
                    self._measure[gap.id] = None

    async def _make_missing(self) -> None:
        """Vectors of some askings that have none of the model in use."""
        if (model := self._meaning.model) is None:
            return
        async with self._database.reading() as session:
            missing = await store.without_vector(session, model, AT_ONCE)
        if not missing:
            return
        made = await self._meaning.vectors([words for _, words in missing])
        if made is None or self._meaning.model != model:
            return
        numbers = [number for number, _ in missing]
        async with self._turn, self._database.writing() as session:
            await store.give_vectors(session, model, zip(numbers, made, strict=True))
            self._shelf_model = None  # read it again, with them


async def _gap(session: AsyncSession, gap_id: str) -> GapRow:
    gap = await session.get(GapRow, gap_id)
    if gap is None:
        raise UnknownGap(gap_id)
    return gap


def _kept(words: str) -> str:
    return masked(words.strip())[-LONGEST:]
