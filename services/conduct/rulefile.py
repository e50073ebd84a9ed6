"""What every rule file has: a version, a digest that tells two texts of one version apart, and
bounds within which a file is one that people wrote, and is read in no time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import StringConstraints

from services.common.datafiles import DataFileError, Entry, read_data

LARGEST = 500_000
"""Bytes of a rule file at most: ten times what the largest of ours has."""
DEEPEST = 12
"""Lists and named fields within one another at most."""
LONGEST_NUMBER = 20
"""Characters of a number at most; Python takes long over very long ones."""


class RuleFile(Entry):
    """Base of a whole rule file."""

    version: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    """Version of the rules; every warning names it."""


F = TypeVar("F", bound=RuleFile)


def read_rules(path: Path, model: type[F]) -> F:
    """Read a rule file into its model. Raises DataFileError with file, line, entry and field."""
    if path.exists() and not path.is_file():
        raise DataFileError(f"{path}: is no file; name the file itself")
    if path.is_file() and path.stat().st_size > LARGEST:
        raise DataFileError(f"{path}: is larger than {LARGEST // 1000} kB; no rule file is")
    for line, problem in _odd(path):
        raise DataFileError(f"{path}, line {line}: {problem}")
    return read_data(path, model)


def versioned(file: F) -> F:
    """The same rules, their version followed by a digest of all they say: `2` → `2+ab12cd34`.
    Whoever edits a file and forgets its version still gets another one; comments count for
    nothing."""
    digest = hashlib.sha256(file.model_dump_json().encode()).hexdigest()[:8]
    return file.model_copy(update={"version": f"{file.version}+{digest}"})


def _odd(path: Path) -> Iterator[tuple[int, str]]:
    """What YAML allows and no rule file needs, each with its line: it hides a mistake, or swells
    beyond all bounds once it is read. What is no YAML at all is left for the reader to name."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        yield from _swelling(text)
        if top := yaml.compose(text, Loader=yaml.SafeLoader):
            yield from _hiding(top)
    except yaml.reader.ReaderError as error:
        yield text.count("\n", 0, error.position) + 1, "holds a character that no text has"
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return


def _swelling(text: str) -> Iterator[tuple[int, str]]:
    """Aliases, and levels without end: found before anything is made of them."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            yield line, f"*{event.anchor} repeats another place of the file; write it out"
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                yield line, f"is nested more than {DEEPEST} levels deep"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _hiding(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Names given twice, of which the first would count for nothing, and values that YAML takes
    for dates or endless numbers."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value in seen:
                yield name.start_mark.line + 1, f"{name.value[:40]}: stands there twice"
            seen.add(str(name.value))
            yield from _hiding(name)
            yield from _hiding(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _hiding(value)
    elif node.tag.endswith(":timestamp"):
        yield line, "a date stands in quotes here"
    elif node.tag.endswith((":int", ":float")) and len(node.value) > LONGEST_NUMBER:
        yield line, f"a number has {LONGEST_NUMBER} characters at most"
