"""The lists of this service that a non-programmer edits, checked when they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.common.datafiles import DataFileError, Entry, read_data
from services.transcription.words import Inventions

_DATA = Path(__file__).parent / "data"
LEXICON = _DATA / "lexicon.yaml"
USUAL_WORDS = _DATA / "usual_words.yaml"
INVENTIONS = _DATA / "inventions.yaml"

# Shorter terms are not corrected: too many usual words sound like them.
Term = Annotated[str, StringConstraints(pattern=r"^[\u4e00-\u9fff]{3,8}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[\u4e00-\u9fff]{2,4}$")]
Line = Annotated[str, StringConstraints(min_length=2, strip_whitespace=True)]


class _File(Entry):
    version: Literal[1]


class _Lexicon(_File):
    terms: list[Term] = Field(min_length=1)


class _UsualWords(_File):
    words: list[Word]


class _Inventions(_File):
    whole: list[Line]
    containing: list[Line]


def load_terms(path: Path = LEXICON) -> tuple[str, ...]:
    """The terms of a lexicon. Raises DataFileError."""
    terms = read_data(path, _Lexicon).terms
    if double := next((term for term in terms if terms.count(term) > 1), None):
        raise DataFileError(f"{path}: terms, {double}: stands there twice")
    return tuple(terms)


def load_usual_words(path: Path = USUAL_WORDS) -> tuple[str, ...]:
    """Words no correction may cut in two. Raises DataFileError."""
    return tuple(read_data(path, _UsualWords).words)


def load_inventions(path: Path = INVENTIONS) -> Inventions:
    """Lines Whisper makes up. Raises DataFileError."""
    held = read_data(path, _Inventions)
    return Inventions(held.whole, held.containing)
