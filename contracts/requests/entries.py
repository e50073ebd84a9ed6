"""Requests of knowledge editors: entries, drafts, who authorises, what was done."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Share
from contracts.call_type import Intake
from contracts.requests.base import Count, Reply, Request

Name = Annotated[str, Field(min_length=1, max_length=64)]
"""Account or name of a person."""
EntryId = Annotated[str, Field(min_length=1, max_length=64)]
Standing = Literal["draft", "answer", "transfer", "scheduled", "expired", "withdrawn"]
"""How an entry stands today: `draft` = nothing of it was ever decided · `answer` = may be given ·
`transfer` = known, but to be transferred · `scheduled` = decided, begins later · `expired` ·
`withdrawn` = taken back and as if absent."""
Act = Literal[
    "drafted",
    "discarded",
    "authorised",
    "referred",
    "refused",
    "withdrawn",
    "imported",
    "removed",
    "exported",
]
"""What can be done to an entry, or to all of them; each is kept with who and when."""


class EntryFields(Contract):
    """What an editor writes. What is not recorded is None or empty, never invented."""

    question: Annotated[str, Field(min_length=1, max_length=300)]
    """The question in its official wording."""
    answer: Annotated[str, Field(max_length=3000)] = ""
    """The answer; may be empty where calls are to be transferred."""
    department: Annotated[str, Field(min_length=1, max_length=100)]
    """The department that answers for it."""
    region: Annotated[str, Field(min_length=1, max_length=100)]
    """Region it applies to, with all below it."""
    similar: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=50)] = ()
    """Other wordings of the question, as callers put it."""
    valid_from: date | None = None
    """First day it is valid."""
    valid_to: date | None = None
    """Last day it is valid."""
    document: Annotated[str | None, Field(max_length=200)] = None
    """The document it rests on."""
    version: Annotated[str | None, Field(max_length=200)] = None
    """Version as the keepers count."""
    liaison: Annotated[str | None, Field(max_length=200)] = None
    """联络员 of the department."""
    phone: Annotated[str | None, Field(max_length=200)] = None
    """Telephone of the department or its liaison."""
    intake: Intake | None = None
    """The kind of intake it belongs to; None = any."""
    tags: Annotated[tuple[Annotated[str, Field(max_length=30)], ...], Field(max_length=20)] = ()
    """Words to sort by."""
    confidential: bool = False
    """Whether its answer is for no caller's ears: it is only ever transferred."""


class EntryLine(Contract):
    """An entry in a list."""

    entry_id: EntryId
    """Its id."""
    question: str
    """The question, as in force or, where nothing is, as drafted."""
    department: str
    """The department."""
    region: str
    """The region."""
    standing: Standing
    """How it stands today."""
    drafted_by: str | None = None
    """Who drafted what awaits a decision; None where nothing does."""
    valid_to: date | None = None
    """Last day it is valid."""
    authorised_by: str | None = None
    """Who authorised it."""
    used: int = 0
    """How often agents said 已采用."""
    wrong: int = 0
    """How often they said 不对."""
    outdated: int = 0
    """How often they said 过时."""


class Deed(Contract):
    """One thing that was done to an entry."""

    at: datetime
    """When, UTC."""
    by: str
    """Who."""
    act: Act
    """What."""
    revision: int
    """The revision it concerns."""
    reason: str = ""
    """Why, where it was said."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """Field, before, after; for what was written."""


class EntryDetail(Reply):
    """An entry with all that an editor needs to know of it."""

    entry_id: EntryId
    """Its id."""
    standing: Standing
    """How it stands today."""
    revision: int
    """Its newest revision. An act names it, so that nobody decides on what he has not seen."""
    in_force: EntryFields | None = None
    """What counts today; None where nothing does."""
    scheduled: EntryFields | None = None
    """What counts from `scheduled_from` on."""
    scheduled_from: date | None = None
    """First day of `scheduled`."""
    draft: EntryFields | None = None
    """What awaits a decision."""
    drafted_by: str | None = None
    """Who drafted it: cannot decide on it."""
    latest: EntryFields | None = None
    """What was decided last, where it no longer counts (expired, withdrawn) and nothing else does:
    an editor begins from it."""
    authorised_by: str | None = None
    """Who authorised what is in force."""
    authorised_at: date | None = None
    """When."""
    history: tuple[Deed, ...] = ()
    """All that was done, newest first; at most 200."""
    used: int = 0
    """How often agents said 已采用."""
    wrong: int = 0
    """How often they said 不对."""
    outdated: int = 0
    """How often they said 过时."""


class EntriesListed(Reply):
    """A page of the list."""

    entries: tuple[EntryLine, ...]
    """In the order asked for."""
    total: int
    """How many there are in all."""
    counts: dict[str, int] = Field(default_factory=dict)
    """Filter → how many entries it would show."""


Filter = Literal[
    "all", "undecided", "answer", "transfer", "expiring", "expired", "withdrawn", "reported"
]
"""`undecided` = a draft awaits a decision · `expiring` = within 30 days · `reported` = agents said
wrong or outdated since the last decision."""


class ListEntries(Request):
    """List entries."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "list"
    reply: ClassVar[type[Reply]] = EntriesListed

    show: Filter = "all"
    """Which."""
    text: Annotated[str, Field(max_length=100)] = ""
    """Words that id, question, answer, department or tags must hold."""
    skip: Count = 0
    """How many to leave out from the beginning."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """How many at most."""


class ReadEntry(Request):
    """Show one entry."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "read"
    reply: ClassVar[type[Reply]] = EntryDetail

    entry_id: EntryId
    """The entry."""


class DraftEntry(Request):
    """Write a new entry, or what an entry is to become. It counts once another person decides."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "draft"
    reply: ClassVar[type[Reply]] = EntryDetail

    entry_id: EntryId | None = None
    """The entry; None = a new one, which gets an id."""
    revision: Count = 0
    """The revision the editor has seen; 0 for a new entry. Another one is a `conflict`."""
    fields: EntryFields
    """What it is to be."""
    by: Name
    """Who drafts."""
    gap_id: str | None = None
    """The gap it closes."""


class DecideDraft(Request):
    """Decide on a draft: another person than the one who drafted it (four eyes)."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "decide"
    reply: ClassVar[type[Reply]] = EntryDetail

    entry_id: EntryId
    """The entry."""
    revision: Count
    """The drafted revision that was seen."""
    decision: Literal["answer", "transfer", "refused"]
    """`answer` = the answer is authorised · `transfer` = known, calls are transferred ·
    `refused` = the draft is put away."""
    from_day: date | None = None
    """First day it counts; None = at once."""
    by: Name
    """Who decides."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why."""


class DiscardDraft(Request):
    """Put an own draft away."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "discard"
    reply: ClassVar[type[Reply]] = EntryDetail

    entry_id: EntryId
    """The entry."""
    revision: Count
    """The drafted revision that was seen."""
    by: Name
    """Who."""


class WithdrawEntry(Request):
    """Take an answer back, everywhere and at once; one person is enough."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "withdraw"
    reply: ClassVar[type[Reply]] = EntryDetail

    entry_id: EntryId
    """The entry."""
    becomes: Literal["transfer", "absent"] = "transfer"
    """`transfer` = calls go to the department · `absent` = as if it had never been."""
    by: Name
    """Who."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    """Why."""


class AlikeEntry(Contract):
    """An entry near to one that is being written."""

    entry_id: EntryId
    """Its id."""
    question: str
    """Its question."""
    region: str
    """Its region."""
    sort: Literal["duplicate", "contradiction", "overrules", "overruled"]
    """`duplicate` = same matter, same region · `contradiction` = the same with figures, days or
    places that differ · `overrules` / `overruled` = same matter of a nearer / higher region."""
    likeness: Share
    """How alike the questions are."""
    why: str
    """What differs, in words for the editor."""


class EntryChecked(Reply):
    """What stands near."""

    alike: tuple[AlikeEntry, ...] = ()
    """Nearest first, at most 10."""


class CheckEntry(Request):
    """Which entries say the same, or the contrary?"""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "check"
    reply: ClassVar[type[Reply]] = EntryChecked

    entry_id: EntryId | None = None
    """The entry being written: left out of the answer."""
    fields: EntryFields
    """As it is being written."""
