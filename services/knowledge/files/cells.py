"""What a cell of a table may hold, and how it is written so that no spreadsheet runs it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029\x85\x0b\x0c]")
_UNSEEN = ("Cc", "Cf", "Cs")
"""Categories of characters that nobody sees: control, format (zero-width, direction), half ones."""
_KEPT = "\n\t"
_STARTS_FORMULA = re.compile(r"'*[=+\-@＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@＝＋－＠]")
_ESCAPED = re.compile(r"\\[\\;；]")
_PIECES = re.compile(r"\\[\\;；]|[;；\n]|[^\\;；\n]+|\\")
_DATE = re.compile(
    r"(?P<y>\d{4})(?:(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})"
    r"|年(?P<m2>\d{1,2})月(?P<d2>\d{1,2})[日号]?)"
    r"(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?"
)
YEARS = range(1900, 2200)
NOT_A_DATE = "is not a date: write it as 2026-01-31"


def cleaned(text: str) -> tuple[str, int]:
    """Text without what cannot be seen, and how many such characters it held. Line ends become
    `\\n`; HTML stays the text it is."""
    text = _LINE_ENDS.sub("\n", text)
    if text.isascii() and text.isprintable():
        return text.strip(), 0
    kept = "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _UNSEEN)
    return kept.strip(), len(text) - len(kept)


def one_line(text: str) -> str:
    """Text on one line."""
    return re.sub(r"[\n\t]+", " ", text).strip()


def guarded(text: str) -> str:
    """Text as a cell that no spreadsheet takes for a formula: one that begins as a formula does
    gets an apostrophe before it."""
    return "'" + text if _STARTS_FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """What `guarded` made a cell of."""
    return cell[1:] if _GUARDED.match(cell) else cell


def joined(items: Iterable[str]) -> str:
    """Several texts in one cell, `;` between; one that stands in a text gets a backslash."""
    return ";".join(re.sub(r"([\\;；])", r"\\\1", item) for item in items)


def parted(cell: str) -> tuple[str, ...]:
    """The texts in a cell, each once: between `;` or line ends, or between `；` where there is
    no `;`. After a backslash, a separator is part of the text."""
    pieces = _PIECES.findall(cell)
    separators = ";\n" if ";" in pieces else "；\n"
    items = [""]
    for piece in pieces:
        if piece in separators:
            items.append("")
        else:
            items[-1] += piece[1:] if _ESCAPED.fullmatch(piece) else piece
    return tuple(dict.fromkeys(item for item in map(one_line, items) if item))


def read_date(text: str) -> date:
    """A day, written 2026-03-01, 2026/3/1, 2026.3.1 or 2026年3月1日. Raises ValueError with what is
    wrong."""
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise ValueError(NOT_A_DATE)
    year = int(found["y"])
    if year not in YEARS:
        raise ValueError(f"lies outside the years {YEARS.start} to {YEARS[-1]}")
    try:
        return date(year, int(found["m"] or found["m2"]), int(found["d"] or found["d2"]))
    except ValueError:
        raise ValueError("is no day of the calendar") from None
