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
BROKEN = sqlite3.DatabaseError("file is not a database")


def failing(*statements: str) -> sqlite3.Error:
    """What SQLite raises at the last of some statements."""
    with sqlite3.connect(":memory:") as connection, pytest.raises(sqlite3.Error) as raised:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return raised.value


NO_ROOM = failing(
    "PRAGMA max_page_count=2",
    "CREATE TABLE words (word)",
    "INSERT INTO words VALUES (zeroblob(100000))",
)
NO_TABLE = failing("SELECT * FROM words")


@pytest.mark.parametrize("error", [FULL, NO_ROOM, OperationalError("", {"who": "张三"}, NO_ROOM)])
def test_a_full_disk_may_pass_and_is_said(error: Exception) -> None:
    assert may_pass(error)
    said = not_yet(error)
    assert said.startswith("the disk cannot be used (")
    assert "张三" not in said


@pytest.mark.parametrize(
    "error", [BROKEN, NO_TABLE, DatabaseError("", {}, BROKEN), ValueError("no")]
)
def test_a_broken_file_or_another_form_does_not(error: Exception) -> None:
    assert not may_pass(error)
    assert not_yet(error) == ""


def test_a_full_disk_is_left_to_the_parts_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise FULL

    monkeypatch.setattr(Path, "write_bytes", full)
    assert prepare_directory(tmp_path / "data") == tmp_path / "data"
