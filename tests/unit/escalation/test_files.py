from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.common.datafiles import DataFileError
from services.escalation.files import read
from services.escalation.red_lines import RedLines
from services.escalation.rules import Rules, count_word
from services.escalation.settings import DATA

pytestmark = pytest.mark.unit

POLICY = (DATA / "policy.yaml").read_text()
WORDS = (DATA / "red_lines.yaml").read_text()


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("severity: notice", "severity: loud", "severity: Input should be"),
        ("\n    times: 3", "\n    times: 0", "times: "),
        ("{seconds} 秒", "{minutes} 分", "{minutes} is not filled in here"),
        ("{seconds} 秒", "{seconds:d} 秒", "warnings, entry hold-over-30s, title: "),
        ("{seconds} 秒", "{seconds 秒", "a brace is not closed"),
        ("again: false", "agian: false", ", agian: Extra inputs"),
        ("id: interruptions", "id: hold-over-30s", "id hold-over-30s stands twice"),
        ("version: 1", "version: 2", "version: "),
    ],
)
def test_a_mistake_in_the_policy_names_its_place(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace(old, new, 1))
    with pytest.raises(DataFileError) as caught:
        read(path, Rules)
    assert says in str(caught.value)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_line_is_the_mistakes_own(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("confidence: 0.5", "confidence: 5", 1))
    with pytest.raises(DataFileError, match=f"line {line_of(POLICY, 'confidence: 0.5')}, "):
        read(path, Rules)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"version: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"- 1", "must hold named fields"),
        (b"", "must hold named fields"),
        (POLICY.encode() + b"\nstamp: mine\n", "stamp: is made"),
    ],
)
def test_what_is_no_policy_at_all(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=says):
        read(path, Rules)
    with pytest.raises(DataFileError, match="cannot be read"):
        read(tmp_path / "absent.yaml", Rules)


def test_an_exception_must_hold_a_word_of_its_block(tmp_path: Path) -> None:
    path = tmp_path / "red_lines.yaml"
    path.write_text(WORDS.replace("- 跳楼价", "- 便宜卖", 1))
    with pytest.raises(DataFileError, match="便宜卖 holds none of the words of self-harm"):
        read(path, RedLines)


def test_the_version_changes_with_the_text(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY + "# checked by the lead\n")
    assert read(path, Rules).stamp != read(DATA / "policy.yaml", Rules).stamp


def test_counts_read_naturally() -> None:
    assert [count_word(n) for n in (1, 2, 3, 10)] == ["一", "两", "三", "十"]
    assert count_word(12) == " 12 "


def test_the_service_does_not_start_with_a_bad_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("again: false", "again: perhaps", 1))
    ran = subprocess.run(
        [sys.executable, "-m", "services.escalation"],
        env={"BANXI_ESCALATION__POLICY": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1 and f"{path}, line " in ran.stderr
