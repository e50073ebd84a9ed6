"""What may pass by itself, and what will not."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from services.common.failure import may_pass
from services.common.settings import prepare_directory
from services.common.waiting import not_yet

pytestmark = pytest.mark.unit

FULL = OSError(errno.ENOSPC, "No space left on device")
NO_ROOM = sqlite3.OperationalError("database or disk is full")
BROKEN = sqlite3.DatabaseError("file is not a database")


@pytest.mark.parametrize("error", [FULL, NO_ROOM, OperationalError("", {"who": "张三"}, NO_ROOM)])
def test_a_full_disk_may_pass_and_is_said(error: Exception) -> None:
    assert may_pass(error)
    said = not_yet(error)
    assert said.startswith("the disk cannot be used (")
    assert "张三" not in said


@pytest.mark.parametrize("error", [BROKEN, DatabaseError("", {}, BROKEN), ValueError("no")])
def test_a_broken_file_does_not(error: Exception) -> None:
    assert not may_pass(error)
    assert not_yet(error) == ""


def test_a_full_disk_is_left_to_the_parts_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise FULL

    monkeypatch.setattr(Path, "write_bytes", full)
    assert prepare_directory(tmp_path / "data") == tmp_path / "data"
