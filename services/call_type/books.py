"""Everything the service reads from files at its start: tables that a hotline may edit, and what
was learned."""

from __future__ import annotations

from dataclasses import dataclass

from services.call_type.prosody_signs import ProsodySigns, load_signs
from services.call_type.settings import CallTypeSettings
from services.call_type.situations.book import load_book
from services.call_type.situations.moments import Moments
from services.call_type.situations.recogniser import Recogniser
from services.call_type.tables import Tables, load_tables
from services.call_type.types.assess import Assessor
from services.call_type.types.model import load_model
from services.common.failure import CannotStart


@dataclass(frozen=True, slots=True)
class Books:
    """All of it, ready to be used."""

    tables: Tables
    signs: ProsodySigns
    assessor: Assessor
    moments: Moments
    embedding: str
    """Id of the embedding model whose vectors both heads read."""


def load(settings: CallTypeSettings | None = None) -> Books:
    """Read it all. Raises DataFileError, and CannotStart where two files do not fit."""
    chosen = settings or CallTypeSettings()
    folder = chosen.tables
    tables = load_tables(folder)
    signs = load_signs(folder)
    model = load_model(chosen.types)
    book = load_book(folder / "situations.yaml" if folder else None)
    recogniser = Recogniser(book, chosen.situations)
    if recogniser.about.embedding != model.about.embedding:
        raise CannotStart(
            f"types and situations were learned with different embedding models "
            f"({model.about.embedding}; {recogniser.about.embedding}): train both with one"
        )
    return Books(
        tables=tables,
        signs=signs,
        assessor=Assessor(tables, model),
        moments=Moments(recogniser, book),
        embedding=model.about.embedding,
    )
