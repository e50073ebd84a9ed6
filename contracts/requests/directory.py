"""The directory: offices, their telephones, addresses and hours."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.base import Contract
from contracts.requests.base import Count, Reply, Request
from contracts.requests.entries import Name
from contracts.requests.imports import Part, RowProblem

Cell = Annotated[str, Field(max_length=200)]


class Office(Contract):
    """A department, office or counter that callers ask for."""

    office_id: Annotated[str, Field(min_length=1, max_length=64)]
    """Its id."""
    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Its name; the name that entries give as department."""
    aliases: Annotated[tuple[Cell, ...], Field(max_length=20)] = ()
    """What callers call it."""
    region: Annotated[str, Field(min_length=1, max_length=100)]
    """Region it serves, with all below it."""
    phone: Cell = ""
    """Telephone."""
    address: Cell = ""
    """Where it is."""
    hours: Cell = ""
    """When it is open."""
    liaison: Cell = ""
    """联络员."""
    liaison_phone: Cell = ""
    """Telephone of the 联络员; for agents, never told to callers."""
    updated_by: str = ""
    """Who wrote it last."""
    updated_at: datetime | None = None
    """When, UTC."""


class OfficesListed(Reply):
    """Offices by region and name."""

    offices: tuple[Office, ...]
    """A page of them."""
    total: int
    """How many there are in all."""


class ListOffices(Request):
    """Which offices are there?"""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "offices"
    reply: ClassVar[type[Reply]] = OfficesListed

    text: Annotated[str, Field(max_length=100)] = ""
    """Words that name, alias, address or telephone must hold."""
    skip: Count = 0
    """How many to leave out from the beginning."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """How many at most."""


class OfficeKept(Reply):
    """The office as it is now; None where it was removed."""

    office: Office | None
    """The office."""


class PutOffice(Request):
    """Write an office: a new one, or what one is now."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "put_office"
    reply: ClassVar[type[Reply]] = OfficeKept

    office: Office
    """What is written; `updated_by` and `updated_at` are set by the service."""
    seen: datetime | None = None
    """`updated_at` of the office that the editor began from: where another has written or removed
    it since, it is a `conflict`. None = a new one, or written over whatever stands."""
    by: Name
    """Who."""


class RemoveOffice(Request):
    """Take an office out."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "remove_office"
    reply: ClassVar[type[Reply]] = OfficeKept

    office_id: Annotated[str, Field(min_length=1, max_length=64)]
    """The office."""
    by: Name
    """Who."""


MOST_OFFICES = 1000
"""Offices a directory is imported of at a time."""


class OfficesImported(Reply):
    """What an import of offices did, or would do."""

    added: int
    """Offices that are new."""
    changed: int
    """Offices that were there and differ."""
    unchanged: int
    """Offices that were there and are the same."""


class ImportOffices(Request):
    """Write many offices in one step: all or none. Others stay as they are."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "import_offices"
    reply: ClassVar[type[Reply]] = OfficesImported

    offices: Annotated[tuple[Office, ...], Field(max_length=MOST_OFFICES)]
    """What they are to be; `updated_by` and `updated_at` are set by the service."""
    by: Name
    """Who imports."""
    dry_run: bool = False
    """Only say what it would do."""


class OfficeFileImported(OfficesImported):
    """What the import of a file of offices did, or would do."""

    bad: int = 0
    """Rows that are not good; with one of them nothing is written."""
    problems: tuple[RowProblem, ...] = ()
    """What is wrong with them, by line; the first 500."""


class ImportOfficeFile(Request):
    """Write the offices of a file, CSV or Excel: all or none. Others stay as they are."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "import_office_file"
    reply: ClassVar[type[Reply]] = OfficeFileImported

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the file, for what is said of it."""
    content: Part
    """The whole file."""
    by: Name
    """Who imports."""
    dry_run: bool = False
    """Only say what it would do."""
