"""One entry of the knowledge base, and what may be told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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
)
"""Columns of a table of entries, in the order they are written."""
REQUIRED_COLUMNS = ("id", "question", "answer", "department", "region", "authorised")
"""Columns without which a table is none of ours."""
LONGEST_ABOUT = 1000
"""Characters of an entry that its vector is made of."""
SEPARATOR = ";"
"""Between similar questions in one cell."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A question, its answer, and all that decides whether an agent may give it.

    What is not recorded is None, and stays so: nothing is invented.
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
    """Whether an agent may give the answer."""
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

    @property
    def wordings(self) -> tuple[str, ...]:
        """The question in every wording, the official one first."""
        return (self.question, *self.similar)

    @property
    def about(self) -> str:
        """The entry in one text, for its vector; without an answer that may not be given."""
        told = self.answer if self.authorised else self.department
        return f"{self.question}。{told}"[:LONGEST_ABOUT]

    def valid_on(self, day: date) -> bool:
        """Whether it is valid on a day, first and last day included."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)

    def source(self) -> Source:
        """Where the answer comes from, without the answer."""
        return Source(
            entry_id=self.id,
            question=self.question,
            department=self.department,
            region=self.region,
            authorised=self.authorised,
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
        }


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
