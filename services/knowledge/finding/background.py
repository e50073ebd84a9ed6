"""The background: what callers say that is no question of the base. The more a question is like it,
the more must speak for an entry before a card is shown.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, StringConstraints

from services.common.datafiles import Entry, read_data

Vectors = npt.NDArray[np.float32]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

DATA = Path(str(files("services.knowledge") / "data"))
"""Where the data files of this service stand."""


class Background(Entry):
    """Utterances that belong to no entry."""

    talk: Annotated[tuple[Line, ...], Field(min_length=10)]
    """Asks nothing: greetings, acknowledgements, particulars, anger."""
    matters: Annotated[tuple[Line, ...], Field(min_length=10)]
    """Questions of every kind; a base may hold some of them."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All of them, `talk` first."""
        return self.talk + self.matters


def read_background(path: Path = DATA / "background.yaml") -> Background:
    """Read the file. Raises DataFileError."""
    return read_data(path, Background)
