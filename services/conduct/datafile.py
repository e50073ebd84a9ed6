"""Reading the files people edit: what is wrong is said with file, entry and field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class DataFileError(ValueError):
    """A data file that cannot be used. One sentence: file, entry, field, what is wrong."""


class Entry(BaseModel):
    """Base of everything in a data file: an unknown field is a typing error, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


M = TypeVar("M", bound=Entry)


def read_data(path: Path, model: type[M]) -> M:
    """Read a YAML file into its model. Raises DataFileError."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataFileError(f"{path}: is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise DataFileError(f"{path}{where}: is not YAML ({problem})") from None
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "".join(f", {part}" for part in _place(raw, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise DataFileError(f"{path.name}{where}: {message}") from None


def _place(raw: Any, location: tuple[int | str, ...]) -> Iterator[str]:
    """`rules`, 3, `wordings`, 0 → `rules dont-ramble`, `wordings 1`: by id, else counted."""
    name = ""
    for part in location:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            raw = None
        if isinstance(part, str):
            if name:
                yield name
            name = part
        else:
            entry = raw.get("id") if isinstance(raw, dict) else None
            yield f"{name} {entry or part + 1}".strip()
            name = ""
    if name:
        yield name
