"""Exemplar sentences: what agents said, each with the rule it breaks or none. Tables that anybody
can edit, one file an author."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.common.datafiles import DataFileError

COLUMNS = ("rule", "kind", "before", "text", "words")
INNOCENT = "none"
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One labelled utterance of an agent."""

    rule: str
    """The rule it breaks; empty where it breaks none."""
    also: tuple[str, ...]
    """Rules that are equally right."""
    kind: str
    """How it is made: exact, insert, asr, split, para …; near, quote, plain … where innocent."""
    before: str
    """The same agent's utterance before it, or nothing."""
    text: str
    """What was said."""
    words: str
    """The words of the offence."""
    author: str
    """Who wrote it: the file's name."""


def read_exemplars(folder: Path, rules: frozenset[str]) -> list[Exemplar]:
    """Every table of a folder. Raises DataFileError with file, line and column."""
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise DataFileError(f"{folder}: holds no table (*.csv) of exemplars")
    return [exemplar for file in files for exemplar in _read(file, rules)]


def digest(exemplars: Sequence[Exemplar]) -> str:
    """Eight hexadecimal digits that tell what a head was learned from."""
    joined = "\n".join("\t".join((e.rule, e.before, e.text)) for e in exemplars)
    return hashlib.sha256(joined.encode()).hexdigest()[:8]


def _read(file: Path, rules: frozenset[str]) -> list[Exemplar]:
    found = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            header = next(reader, [])
            if tuple(header) != COLUMNS:
                raise DataFileError(f"{file}, line 1: the columns are {','.join(COLUMNS)}")
            for row in reader:
                found.append(_exemplar(file, reader.line_num, row, rules))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{file}: is no table in UTF-8 ({type(error).__name__})") from None
    except OSError as error:
        raise DataFileError(f"{file}: cannot be read ({error.strerror})") from None
    return found


def _exemplar(file: Path, line: int, row: list[str], rules: frozenset[str]) -> Exemplar:
    where = f"{file}, line {line}"
    if len(row) != len(COLUMNS):
        raise DataFileError(f"{where}: has {len(row)} columns, not {len(COLUMNS)}")
    rule, kind, before, text, words = (cell.strip() for cell in row)
    named = () if rule == INNOCENT else tuple(rule.split("+"))
    for name in named:
        if name not in rules:
            raise DataFileError(f"{where}, rule: there is no rule {name!r}; innocent is {INNOCENT}")
    if not 0 < len(text) <= LONGEST:
        raise DataFileError(f"{where}, text: has {len(text)} characters, not 1 to {LONGEST}")
    if words not in before + text:
        raise DataFileError(f"{where}, words: do not stand in the text")
    return Exemplar(named[0] if named else "", named[1:], kind, before, text, words, file.stem)
