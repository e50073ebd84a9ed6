"""Print the blocks of a lock file for the packages named in lists: `pick.py LOCK LIST…`.

A list has one package a line; what follows a `#` is a remark. A name the lock does not know is an
error, so that an image is never made with a package missing. Standard library only: it runs before
anything is installed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path


def plain(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(text: str) -> list[str]:
    """The packages of a list."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [plain(line) for line in lines if line]


def blocks(lock: str) -> dict[str, str]:
    """The lock file by package: its lines with the hashes below them. A package may have several,
    each for other Pythons."""
    found: dict[str, str] = {}
    for match in re.finditer(r"^([^\s#]+?)==.*(?:\n[ ]+.*)*", lock, re.MULTILINE):
        name = plain(match.group(1))
        found[name] = found.get(name, "") + match.group(0) + "\n"
    return found


def pick(lock: str, wanted: Iterable[str]) -> str:
    """The part of the lock file for these packages. Raises KeyError with a name it lacks."""
    known = blocks(lock)
    return "".join(known[name] for name in wanted)


if __name__ == "__main__":
    lock_file, *lists = map(Path, sys.argv[1:])
    try:
        sys.stdout.write(
            pick(lock_file.read_text(), [n for path in lists for n in names(path.read_text())])
        )
    except KeyError as error:
        sys.exit(f"{lock_file}: {error.args[0]} is not in it; run tools/lock.sh")
