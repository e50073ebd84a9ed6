"""Nearest prototype, with vectors that can be counted on one's fingers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from contracts.call_type import CALL_TYPES
from services.common.datafiles import DataFileError
from tools.evaluate.baseline import FILE, Prototypes

pytestmark = pytest.mark.unit


def by_label(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """A text that names a type points its way, and all share one direction."""
    rows = np.zeros((len(texts), len(CALL_TYPES) + 1), dtype=np.float32)
    rows[:, -1] = 3
    for row, text in zip(rows, texts, strict=True):
        for at, label in enumerate(CALL_TYPES):
            row[at] = text.count(label)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def write(path: Path, types: Sequence[str]) -> Path:
    entries = [{"type": label, "utterances": [f"我{label}", f"{label}{label}"]} for label in types]
    path.write_text(yaml.safe_dump({"version": 1, "types": entries}), encoding="utf-8")
    return path


def test_the_nearest_centre(tmp_path: Path) -> None:
    prototypes = Prototypes.of(by_label, write(tmp_path / "own.yaml", CALL_TYPES[::-1]))
    for label in CALL_TYPES:
        [vector] = by_label([f"你好{label}"])
        assert prototypes.nearest(vector) == label


def test_each_type_stands_there_once(tmp_path: Path) -> None:
    path = write(tmp_path / "own.yaml", (*CALL_TYPES[1:], CALL_TYPES[1]))
    with pytest.raises(DataFileError, match=r"own\.yaml.*types.*咨询, 叙述"):
        Prototypes.of(by_label, path)


def test_ours_can_be_read() -> None:
    seen: list[str] = []

    def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        seen.extend(texts)
        return by_label(texts)

    Prototypes.of(embed, FILE)
    assert len(seen) == len(set(seen)) >= 10 * len(CALL_TYPES)
