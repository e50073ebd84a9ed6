"""An import of entries: rows are staged, planned, and taken all at once or not at all."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Id
from contracts.requests.base import Reply, Request
from contracts.requests.entries import Name

MOST_ROWS = 200_000
"""Rows an import may have."""
PART_BYTES = 400_000
"""Bytes of a file that a message takes."""
MOST_PARTS = 50
"""Parts a file that is handed over may have: 20 MB."""
Line = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""Line in the file, counted from 1 (the header is line 1)."""


Part = Annotated[
    str,
    Field(
        max_length=4 * -(-PART_BYTES // 3),
        pattern=r"^[A-Za-z0-9+/]*={0,2}$",
        json_schema_extra={"contentEncoding": "base64"},
    ),
]
"""Bytes of a part of a file, base64."""


class RowProblem(Contract):
    """What is wrong with a row: it is not taken."""

    line: Line
    """Its line in the file, counted from 1 (the header is line 1)."""
    field: str
    """The column that is wrong; empty where it is the whole row."""
    message: str
    """What is wrong with it."""


class RowNote(Contract):
    """What was made of a row that is taken, and that its keepers should know."""

    line: Line
    """Its line in the file."""
    field: str
    """The column."""
    message: str
    """What was cleaned, or how it is shown."""


class FileRow(Contract):
    """A row as it stands in the file."""

    line: Line
    """Its line in the file."""
    cells: dict[str, str]
    """Column → text."""
    faults: tuple[tuple[str, str], ...] = ()
    """Column and what is wrong, where a cell could not be read: the row is a bad one."""


class RowsStaged(Reply):
    """Rows that wait for the rest of their import."""

    staged: int
    """Rows of this import that wait."""
    form: str = ""
    """How a file was read: `UTF-8`, `GB18030`, `Excel` or `JSONL`; empty for rows, and while parts
    of the file are missing."""
    passed_over: tuple[str, ...] = ()
    """Columns of the file that were passed over, since nothing of ours has that name."""
    problems: tuple[RowProblem, ...] = ()
    """Cells of the file that could not be read, by line; the first 500. The plan names them again,
    beside all else that is wrong."""


class StageRows(Request):
    """Hand over some rows of an import. Nothing changes yet; what is never applied is forgotten
    after a day. A line that was staged before is replaced."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "stage"
    reply: ClassVar[type[Reply]] = RowsStaged

    import_id: Id
    """The import; chosen by who imports."""
    rows: Annotated[tuple[FileRow, ...], Field(max_length=500)]
    """Rows, good or bad: all are judged together when the import is planned."""


class StageFile(Request):
    """Hand over a part of a file: CSV, Excel or JSONL. With the last one the file is read, and its
    rows are staged instead of those of the import before. Parts of an import nobody finishes are
    forgotten after a day."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "stage_file"
    reply: ClassVar[type[Reply]] = RowsStaged

    import_id: Id
    """The import; chosen by who imports."""
    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the file, for what is said of it."""
    part: Annotated[int, Field(ge=0, lt=MOST_PARTS)]
    """Which part, counted from 0; one that was handed over before is replaced."""
    last: bool
    """Whether the file ends with it; all parts before it must have been handed over."""
    content: Part
    """The bytes."""


class RowChange(Contract):
    """What a row would do."""

    line: Line
    """Its line in the file."""
    entry_id: str
    """The entry."""
    act: Literal["add", "change"]
    """Whether the entry is new."""
    question: str = ""
    """Its question, as it will be; shortened where it is long."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """Column, before, after; of long texts the part that differs. Empty for what is new."""


class RowWarning(Contract):
    """A row that would be taken, but that somebody should look at."""

    line: Line
    """Its line in the file."""
    entry_id: str
    """The entry."""
    other: str
    """The entry it is too near to; its own where it is about itself."""
    sort: Literal["contradiction", "duplicate", "overrules", "overruled", "draft"]
    """As in `AlikeEntry` · `draft` = a draft of it awaits a decision, the import puts it away."""
    why: str
    """In words, what differs."""


class ImportPlanned(Reply):
    """What an import would do. Lists are cut to what a message holds; the figures are whole."""

    added: int
    """Entries that are new."""
    changed: int
    """Entries that are there and would differ."""
    unchanged: int
    """Entries that are there and are the same."""
    bad: int = 0
    """Rows that are not good; with one of them nothing is taken, unless `partly` is asked for."""
    problems: tuple[RowProblem, ...] = ()
    """What is wrong with them, by line; the first 500."""
    changes: tuple[RowChange, ...] = ()
    """What would be done, by line; the first 500 at most."""
    warnings: tuple[RowWarning, ...] = ()
    """What somebody should look at, the gravest first; 200 at most."""
    warned: int = 0
    """How many warnings there are in all."""
    notes: tuple[RowNote, ...] = ()
    """What was cleaned, by line; the first 200."""


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
    bad: int = 0
    """Rows that were left out."""


class ApplyImport(_OnImport):
    """Take all staged rows, in one step: all or none. Bad rows are left out only where `partly`."""

    verb: ClassVar[str] = "apply"
    reply: ClassVar[type[Reply]] = KnowledgeImported

    partly: bool = False
    """Whether to go on where some rows are bad; else an import with a bad row changes nothing and
    is refused (`invalid`)."""


class DropImport(Request):
    """Forget the staged rows."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "drop"
    reply: ClassVar[type[Reply]] = RowsStaged

    import_id: Id
    """The import."""


class EntriesExported(Reply):
    """A part of a file of entries."""

    parts: int
    """Parts the file has."""
    entries: int
    """Entries it holds."""
    content: Part
    """The bytes of this part."""


class ExportEntries(Request):
    """Write all entries that were decided to a file that an import reads again as the same; one
    part of it is handed out at a time. Answers that may not be given are in it, too. Part 0 writes
    the file, the last part forgets it; what nobody fetches is forgotten after a day."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "export"
    reply: ClassVar[type[Reply]] = EntriesExported

    export_id: Id
    """The export; chosen by who exports."""
    format: Literal["csv", "xlsx", "jsonl"]
    """Form of the file."""
    by: Name | None = None
    """Who exports: kept, with when, beside all else that was done; None = it was not said."""
    part: Annotated[int, Field(ge=0, le=2**31 - 2)] = 0
    """Which part, counted from 0."""
