"""The service's own data files, and how they are found."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from services.common.datafiles import DataFileError, read_data
from services.conduct.phrases import PhraseBook
from services.conduct.rulebook import PhraseFile
from services.conduct.waiting import Times, WaitingBook, WaitingFile

DATA = Path(__file__).with_name("data")


def load_phrases(path: Path | None = None) -> PhraseBook:
    """The forbidden phrases: those of `path`, or the ones that come with the service.

    Raises DataFileError with file, entry and field."""
    return PhraseBook(read_data(path or DATA / "phrases.yaml", PhraseFile))


def load_waiting(path: Path | None = None, times: dict[str, float] | None = None) -> WaitingBook:
    """Times and words of waiting; `times` are a site's own in place of the file's.

    Raises DataFileError with file, entry and field."""
    file = read_data(path or DATA / "waiting.yaml", WaitingFile)
    if times:
        try:
            own = Times.model_validate(file.times.model_dump() | times)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            message = first["msg"].removeprefix("Value error, ")
            raise DataFileError(f"the site's own times: {message}") from None
        file = file.model_copy(update={"times": own})
    return WaitingBook(file)
