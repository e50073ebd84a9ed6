"""Entries as editors write and compare them."""

from __future__ import annotations

from unicodedata import category

from contracts.requests import EntryFields
from services.knowledge.entries.entry import SEPARATOR, Entry

Change = tuple[str, str, str]
"""Field, before, after."""


def written(entry_id: str, fields: EntryFields) -> Entry:
    """What an editor wrote, cleaned: nothing of it is authorised. Spaces around texts and
    characters that no screen shows are left out; so are empty and repeated words of lists."""
    return Entry(
        id=entry_id,
        question=clean(fields.question),
        answer=clean(fields.answer),
        department=clean(fields.department),
        region=clean(fields.region),
        authorised=False,
        valid_from=fields.valid_from,
        valid_to=fields.valid_to,
        similar=_each(fields.similar),
        version=clean(fields.version or "") or None,
        document=clean(fields.document or "") or None,
        liaison=clean(fields.liaison or "") or None,
        phone=clean(fields.phone or "") or None,
        intake=fields.intake,
        tags=_each(fields.tags),
        confidential=fields.confidential,
    )


def fields_of(entry: Entry) -> EntryFields:
    """What an editor sees of an entry."""
    return EntryFields(
        question=entry.question,
        answer=entry.answer,
        department=entry.department,
        region=entry.region,
        similar=entry.similar,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        document=entry.document,
        version=entry.version,
        liaison=entry.liaison,
        phone=entry.phone,
        intake=entry.intake,
        tags=entry.tags,
        confidential=entry.confidential,
    )


def changes(before: Entry | None, after: Entry) -> tuple[Change, ...]:
    """The fields that differ, as text; `authorised` is `yes` or `no`. Empty = nothing there."""
    old = _texts(before) if before else {}
    new = _texts(after)
    return tuple(
        (name, old.get(name, ""), text) for name, text in new.items() if old.get(name, "") != text
    )


def clean(text: str) -> str:
    """A text without spaces around it and without characters that nobody sees, as a file is read;
    line breaks stay."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in kept if c in "\n\t" or category(c) not in _UNSEEN).strip()


_UNSEEN = ("Cc", "Cf", "Cs")
"""Control, format (zero-width, direction), half characters."""


def _each(texts: tuple[str, ...]) -> tuple[str, ...]:
    """In one cell of a table they are told apart by a semicolon, so none may hold one."""
    parts = (part for text in texts for part in clean(text).split(SEPARATOR))
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _texts(entry: Entry) -> dict[str, str]:
    row = entry.row()
    row["similar"] = row.pop("similar_questions")
    for name in ("id", "authorised_by", "authorised_at"):
        del row[name]
    if not entry.confidential:
        row["confidential"] = ""
    return row
