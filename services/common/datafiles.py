"""Reading the files people edit: every mistake with its file, line, entry and field."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from services.common.failure import CannotStart


class DataFileError(CannotStart):
    """A data file that cannot be used. One sentence: file, line, entry, field, what is wrong."""


class Entry(BaseModel):
    """Base of everything in a data file: an unknown field is a typing error, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


M = TypeVar("M", bound=Entry)


def read_data(path: Path, model: type[M]) -> M:
    """Read a YAML file into its model. Raises DataFileError."""
    try:
        text = _bytes(path).decode("utf-8-sig")
        raw = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise DataFileError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "not readable"
        raise DataFileError(f"{where}: is not YAML ({problem})") from None
    if not isinstance(raw, dict):
        raise DataFileError(f"{path}: the file must hold named fields, as the one of Banxi does")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        line = _line(yaml.compose(text, Loader=yaml.SafeLoader), first["loc"])
        where = ", ".join([str(path), f"line {line}", *_place(raw, first["loc"])])
        message = first["msg"].removeprefix("Value error, ")
        raise DataFileError(f"{where}: {message}") from None


def fingerprint(*paths: Path) -> str:
    """Eight hexadecimal digits over the bytes of files, so that events name the exact text of the
    rules they rest on. Raises DataFileError."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(_bytes(path))
    return digest.hexdigest()[:8]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror})") from None


def _place(raw: Any, location: Sequence[int | str]) -> list[str]:
    """`rules`, 3, `wordings`, 0 → `rules`, `entry dont-ramble`, `wordings`, `entry 1`: entries by
    their id, else counted from 1."""
    names = []
    for step in location:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            raw = None
        id_ = raw.get("id") if isinstance(raw, dict) else None
        names.append(step if isinstance(step, str) else f"entry {id_ or step + 1}")
    return names


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """Line of the nearest thing in the file to a place, counted from 1."""
    line = node.start_mark.line if node else 0
    for step in location:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = node.value[step] if step < len(node.value) else None
        if found is None:
            break
        node, line = found, found.start_mark.line
    return line + 1
