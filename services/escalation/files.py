"""Reading the files people edit: every mistake with its file, line and field."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Read = TypeVar("Read", bound="EditedFile")


class BadFile(ValueError):
    """A file cannot be used. The message is one sentence that names file, line and field."""


class Part(BaseModel):
    """Base of what stands in an edited file: a field nobody knows is a mistake, not a remark."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class EditedFile(Part):
    """Base of a whole file."""

    version: Annotated[int, Field(ge=1, le=1)]
    """The form of the file."""
    stamp: str = ""
    """Not in the file: form and digest of its content, so that events name the exact text."""


def read(path: Path, model: type[Read]) -> Read:
    """Read and check a YAML file. Raises BadFile."""
    try:
        content = path.read_bytes()
        root = yaml.compose(content, Loader=yaml.SafeLoader)
        data = yaml.safe_load(content)
    except OSError as error:
        raise BadFile(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadFile(f"{path}{line}: not valid YAML ({error.problem})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadFile(f"{path}: not a YAML file in UTF-8") from None
    if not isinstance(data, dict) or "stamp" in data:
        raise BadFile(f"{path}: must hold the fields its head describes, and no others")
    try:
        checked = model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        at = _line_of(root, first["loc"])
        raise BadFile(f"{path}, line {at}, {where}: {first['msg']}") from None
    digest = hashlib.sha256(content).hexdigest()[:8]
    return checked.model_copy(update={"stamp": f"{checked.version}+{digest}"})


def _line_of(node: yaml.Node | None, loc: Sequence[str | int]) -> int:
    """Line of the nearest thing in the file to a pydantic location, counted from 1."""
    line = node.start_mark.line if node else 0
    for step in loc:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = node.value[step] if step < len(node.value) else None
        if found is None:
            break
        node, line = found, found.start_mark.line
    return line + 1
