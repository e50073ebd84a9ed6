"""An import of entries: rows are staged, planned, and taken all at once or not at all."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Id
from contracts.requests.base import Reply, Request
from contracts.requests.entries import Name


class RowProblem(Contract):
    """A row of an import that was not taken."""

    line: int
    """Line in the file, counted from 1 (the header is line 1)."""
    field: str
    """The column that is wrong; empty where it is the whole row."""
    message: str
    """What is wrong with it."""


class RowsStaged(Reply):
    """Rows that wait for the rest of their import."""

    staged: int
    """Rows of this import that wait, these included."""
    problems: tuple[RowProblem, ...] = ()
    """Rows of this request that are not good; they are left out."""


class StageRows(Request):
    """Hand over some rows of an import. Nothing changes yet; what is never applied is forgotten."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "stage"
    reply: ClassVar[type[Reply]] = RowsStaged

    import_id: Id
    """The import; chosen by who imports."""
    rows: Annotated[tuple[dict[str, str], ...], Field(max_length=500)]
    """Rows as column → text, as in the file."""
    first_line: int = 2
    """Line of the first row in the file, for naming bad rows."""


class RowChange(Contract):
    """What a row would do."""

    line: int
    """Its line in the file."""
    entry_id: str
    """The entry."""
    act: Literal["add", "change"]
    """Whether the entry is new."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """Field, before, after; long texts shortened."""


class RowWarning(Contract):
    """A row that would be taken, but that somebody should look at."""

    line: int
    """Its line in the file."""
    entry_id: str
    """The entry."""
    other: str
    """The entry it is too near to."""
    why: str
    """Duplicate or contradiction, and what differs."""


class ImportPlanned(Reply):
    """What an import would do."""

    added: int
    """Entries that are new."""
    changed: int
    """Entries that are there and would differ."""
    unchanged: int
    """Entries that are there and are the same."""
    problems: tuple[RowProblem, ...] = ()
    """Rows that fail only when all are seen together: an authorised row that names nobody …"""
    changes: tuple[RowChange, ...] = ()
    """The first 500 of them."""
    warnings: tuple[RowWarning, ...] = ()
    """The first 200 of them."""


class _OnImport(Request):
    service: ClassVar[str] = "knowledge"

    import_id: Id
    """The import."""
    imported_by: Name
    """Who imports."""
    authorised_by: Name | None = None
    """Who authorised the rows marked authorised that name nobody; another than the importer."""


class PlanImport(_OnImport):
    """What would it do?"""

    verb: ClassVar[str] = "plan"
    reply: ClassVar[type[Reply]] = ImportPlanned


class KnowledgeImported(Reply):
    """What an import did."""

    added: int
    """Entries that are new."""
    changed: int
    """Entries that were there and differ now."""
    unchanged: int
    """Entries that were there and are the same."""
    problems: tuple[RowProblem, ...] = ()
    """Rows that were not taken."""


class ApplyImport(_OnImport):
    """Take all staged rows, in one step: all or none. Bad rows are left out only where `partly`."""

    verb: ClassVar[str] = "apply"
    reply: ClassVar[type[Reply]] = KnowledgeImported

    partly: bool = False
    """Whether to go on where some rows are bad; else an import with a bad row changes nothing."""


class DropImport(Request):
    """Forget the staged rows."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "drop"
    reply: ClassVar[type[Reply]] = RowsStaged

    import_id: Id
    """The import."""
