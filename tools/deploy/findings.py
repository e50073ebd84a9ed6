"""What a check has to say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: in which file, of what, and one sentence."""

    file: Path
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{_near(self.file)}: {self.subject}: {self.sentence}"


def _near(file: Path) -> Path:
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
