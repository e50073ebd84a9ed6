"""One entry of the knowledge base, and what may be told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from contracts.call_type import Intake
from contracts.card import Source

COLUMNS = (
    "id",
    "question",
    "answer",
    "department",
    "region",
    "authorised",
    "valid_from",
    "valid_to",
    "similar_questions",
    "authorised_by",
    "authorised_at",
    "version",
    "document",
    "liaison",
    "phone",
    "intake",
    "tags",
    "confidential",
)
"""Columns of a table of entries, in the order they are written."""
REQUIRED_COLUMNS = ("id", "question", "answer", "department", "region", "authorised")
"""Columns without which a table is none of ours."""
LONGEST_ABOUT = 1000
"""Characters of an entry that its vector is made of."""
SEPARATOR = ";"
"""Between similar questions, and between tags, in one cell."""
RESERVED = ("office-", "office:", "wording-", "wording:")
"""How ids begin of what the base is made of beside entries."""
Sort = Literal["entry", "office", "announced"]
"""Where an entry comes from: kept by editors, made of the directory, or of an agreed wording."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A question, its answer, and all that decides whether an agent may give it.

    What is not recorded is None, and stays so: nothing is invented. An entry with a successor
    scheduled for a day is two values with the same id, of which at most one is valid on any day.
    """

    id: str
    """Id of the entry, given by whoever keeps the base."""
    question: str
    """The question in its official wording."""
    answer: str
    """The answer. Leaves the service only by a decision of `decide`."""
    department: str
    """The department that answers for it."""
    region: str
    """The region it applies to, with all below it."""
    authorised: bool
    """Whether somebody decided that an agent may give the answer; see `answerable`."""
    valid_from: date | None = None
    """First day it is valid; None = always was."""
    valid_to: date | None = None
    """Last day it is valid; None = until further notice."""
    similar: tuple[str, ...] = ()
    """Other wordings of the question, as callers put it."""
    authorised_by: str | None = None
    """Who authorised it."""
    authorised_at: date | None = None
    """When it was authorised."""
    version: str | None = None
    """Version of the answer, as the keepers count."""
    document: str | None = None
    """The document it rests on."""
    liaison: str | None = None
    """联络员 of the department."""
    phone: str | None = None
    """Telephone of the department or its liaison."""
    intake: Intake | None = None
    """The kind of intake it belongs to; None = any."""
    tags: tuple[str, ...] = ()
    """Words to sort by."""
    confidential: bool = False
    """Whether its answer is for no caller's ears."""
    revision: int = 0
    """Which writing of the entry this is, counted from 1; 0 = not kept yet."""
    takes_effect: date | None = None
    """First day this writing counts; None = since it was decided."""
    superseded: date | None = None
    """First day the next writing counts instead; None = none is scheduled."""
    sort: Sort = "entry"
    """Where it comes from."""
    ends: datetime | None = None
    """The moment it ends, where that is set beside its last day; None = it ends with that day."""

    @property
    def answerable(self) -> bool:
        """Whether the answer may be given where the entry applies and is valid."""
        return self.authorised and not self.confidential

    @property
    def wordings(self) -> tuple[str, ...]:
        """The question in every wording, the official one first."""
        return (self.question, *self.similar)

    @property
    def about(self) -> str:
        """The entry in one text, for its vector; without an answer that may not be given."""
        told = self.answer if self.answerable else self.department
        return f"{self.question}。{told}"[:LONGEST_ABOUT]

    def valid_on(self, day: date) -> bool:
        """Whether this writing counts on a day and is valid then, first and last day included."""
        if self.takes_effect is not None and day < self.takes_effect:
            return False
        if self.superseded is not None and day >= self.superseded:
            return False
        return (self.valid_from or day) <= day <= (self.valid_to or day)

    def over(self, now: datetime) -> bool:
        """Whether the moment it ends has come."""
        return self.ends is not None and self.ends <= now

    def says(self, other: Entry) -> bool:
        """Whether both say the same on the same authority, whatever their revisions."""
        return self == replace(
            other,
            revision=self.revision,
            takes_effect=self.takes_effect,
            superseded=self.superseded,
            sort=self.sort,
        )

    def source(self) -> Source:
        """Where the answer comes from, without the answer."""
        return Source(
            entry_id=self.id,
            question=self.question,
            department=self.department,
            region=self.region,
            authorised=self.answerable,
            authorised_by=self.authorised_by,
            authorised_at=self.authorised_at,
            document=self.document,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            version=self.version,
            liaison=self.liaison,
            phone=self.phone,
        )

    def row(self) -> dict[str, str]:
        """The entry as a row of a table: column → text, empty where nothing is recorded."""
        return {
            "id": self.id,
            "question": self.question,
            "answer": self.answer,
            "department": self.department,
            "region": self.region,
            "authorised": "yes" if self.authorised else "no",
            "valid_from": _iso(self.valid_from),
            "valid_to": _iso(self.valid_to),
            "similar_questions": SEPARATOR.join(self.similar),
            "authorised_by": self.authorised_by or "",
            "authorised_at": _iso(self.authorised_at),
            "version": self.version or "",
            "document": self.document or "",
            "liaison": self.liaison or "",
            "phone": self.phone or "",
            "intake": self.intake or "",
            "tags": SEPARATOR.join(self.tags),
            "confidential": "yes" if self.confidential else "",
        }


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
