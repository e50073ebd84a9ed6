"""The tables: those that come with Banxi are right, and mistakes are named where they stand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from contracts.call_type import CALL_TYPES, INTAKES
from services.call_type.tables import FILES, PACKAGED, load_tables
from services.common.failure import CannotStart

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(PACKAGED / name, tmp_path)
    return tmp_path


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_packaged_tables_are_complete() -> None:
    tables = load_tables()
    assert {signal.type for signal in tables.signals.signals} == set(CALL_TYPES)
    assert {signal.intake for signal in tables.intake.signals} <= set(INTAKES)
    assert [advice.type for advice in tables.advice.advice] == list(CALL_TYPES)
    assert len(tables.digest) == 8


def test_the_version_changes_with_the_tables(folder: Path) -> None:
    assert load_tables(folder).digest == load_tables().digest
    spoil(folder, "signals.yaml", "气死我了", "气死个人")
    assert load_tables(folder).digest != load_tables().digest


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("signals.yaml", "weight: 2.0\n", "weight: heavy\n", r"signals, entry 1, weight: .*number"),
        ("signals.yaml", "weight: 2.0\n", "wait: 2.0\n", r"signals, entry 1, weight: Field requ"),
        ("signals.yaml", "- 气死我了", "- 18", r"signals, entry \d, patterns, entry 1: .*string"),
        ("signals.yaml", "- 踢皮球", "- 气死我了", r"signals: .*more than once: 气死我了 \(发泄\)"),
        ("signals.yaml", "- type: 咨询", "- type: 讲述", r"signals, entry 1, type: "),
        ("advice.yaml", "type: 叙述", "type: 咨询", r"advice: .*叙述 missing"),
        ("advice.yaml", "version: 1", "version: 2", r"version: Input should be 1"),
        ("intake.yaml", "- intake: 投诉", "- intake: 抱怨", r"signals, entry 1, intake: "),
        ("intake.yaml", "signals:", "signals: [", r"intake.yaml, line \d+: is not YAML"),
    ],
)
def test_a_mistake_is_named_by_file_entry_and_field(
    folder: Path, name: str, old: str, new: str, said: str
) -> None:
    spoil(folder, name, old, new)
    with pytest.raises(CannotStart, match=said) as stopped:
        load_tables(folder)
    sentence = str(stopped.value)
    assert name in sentence
    assert "\n" not in sentence


def test_a_missing_or_unreadable_file_is_named(folder: Path) -> None:
    (folder / "advice.yaml").write_bytes("建议".encode("gbk"))
    with pytest.raises(CannotStart, match=r"advice\.yaml: is not UTF-8"):
        load_tables(folder)
    (folder / "advice.yaml").unlink()
    with pytest.raises(CannotStart, match=r"advice\.yaml: cannot be read"):
        load_tables(folder)
