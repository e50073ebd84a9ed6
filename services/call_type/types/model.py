"""What was learned about types and intake kinds (`banxi train call-type`), and reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from contracts.call_type import CALL_TYPES, INTAKES
from services.call_type.heads import Array, Head, Rows, load_heads, log_shares
from services.call_type.types.look import GRAM_PLACES, MANNER, VECTOR_PLACES, Look
from services.common.datafiles import DataFileError

MADE_BY = "banxi train call-type"
JOINED_TYPES = 2 * len(CALL_TYPES) + len(MANNER)
JOINED_INTAKES = 2 * len(INTAKES) + len(CALL_TYPES) + len(INTAKES)
"""Numbers that the joined decisions weigh."""
FIRST = ("p", "lead", "length", "turn")
"""What decides whether the first type is shown: its probability as log-odds, its lead, how much
the caller has said, which turn it is."""
TURN = ("p", "shown", "lead", "was", "was_shown", "held", "turn", "length", "last", "last_shown")
"""What decides whether the caller has turned: see `turning.py`."""
_SUBTRACTED = ("types", "intakes")


class About(BaseModel):
    """What the file says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """Digest of the calls it was learned from."""
    embedding: str
    """Id of the embedding model whose vectors it reads."""
    calls: int
    """How many they were."""
    figures: Mapping[str, float]
    """How it did from author to author, as `banxi eval call-type` counts."""
