"""Files as tests need them: rows written as they are, good or bad."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from services.knowledge.entries.entry import COLUMNS


def csv_bytes(rows: Iterable[Mapping[str, str]]) -> bytes:
    """A table of entries as CSV in UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
