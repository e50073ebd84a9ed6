"""What the files of this service have in common: their form, and a stamp that events name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, field_validator

from services.common.datafiles import Entry, fingerprint, read_data

Read = TypeVar("Read", bound="EditedFile")


class EditedFile(Entry):
    """Base of a whole file."""

    version: Annotated[int, Field(ge=1, le=1)]
    """The form of the file."""
    stamp: str = ""
    """Not in the file: form and digest of its content, so that events name the exact text."""

    @field_validator("stamp")
    @classmethod
    def _is_made(cls, _: str) -> str:
        raise ValueError("is made from the content and does not stand in it")


def read(path: Path, model: type[Read]) -> Read:
    """Read and check a file. Raises DataFileError."""
    checked = read_data(path, model)
    return checked.model_copy(update={"stamp": f"{checked.version}+{fingerprint(path)}"})
