"""Rule files that people, editors and pranks make: refused with their place, and at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.common.datafiles import DataFileError
from services.conduct.books import DATA, RulesWrong, load_phrases, load_rules
from services.conduct.rulefile import LARGEST
from services.conduct.settings import ConductSettings

pytestmark = pytest.mark.unit

GOOD = (DATA / "phrases.yaml").read_text(encoding="utf-8")
BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def refused(path: Path) -> str:
    """The sentence a file is refused with."""
    with pytest.raises(DataFileError) as error:
        load_phrases(path)
    sentence = str(error.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ["named fields"]),
        ("- a\n- b\n", ["named fields"]),
        (GOOD.replace("fillers:", "\tfillers:", 1), ["line", "not YAML"]),
        (BOMB, ["line 2", "*a repeats"]),
        ("a: " + "[" * 100_000, ["line 1", "nested"]),
        ("a:\n" + "".join("  " * n + "- \n" for n in range(1, 200)), ["line", "nested"]),
        (GOOD + "version: '9'\n", ["line", "version: stands there twice"]),
        (GOOD.replace("severity:", "source: A12\n    severity:", 1), ["source: stands there"]),
        (GOOD.replace('version: "1"', "version: 2024-02-31", 1), ["line", "date", "quotes"]),
        (GOOD.replace('version: "1"', "version: " + "1" * 5000, 1), ["line", "number"]),
        (GOOD.replace('version: "1"', f"version: '{'1' * 50}'", 1), ["line", "version"]),
        (GOOD.replace("急什么", "急\0什么", 1), ["line", "character that no text has"]),
        (GOOD.replace("canonical: 急什么", 'canonical: "\\ud800"', 1), ["canonical"]),
        (GOOD.replace("canonical: 急什么", "canonical: " + "急" * 600, 1), ["canonical", "500"]),
        (GOOD.replace("canonical: 急什么", "canonical: [急什么]", 1), ["canonical", "string"]),
        (GOOD.replace("canonical: 急什么", "canonical: !!python/object:os.x {}", 1), ["not YAML"]),
        # Left to itself it would be found before every phrase, and nothing be an offence.
        (GOOD.replace("denials: [不是", "denials: ['，', 不是", 1), ["denials", "can be said"]),
    ],
)
def test_what_no_rule_file_holds(tmp_path: Path, text: str, named: list[str]) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    sentence = refused(path)
    for part in named:
        assert part in sentence


@pytest.mark.parametrize(
    ("wording", "named"),
    [
        ("''", "wordings"),
        ("'，。'", "may shrink"),
        ("'[什么|]'", "may shrink"),
        ("'[什么|[怎么|]]事'", "brackets"),
        ("'[' ", "brackets"),
        ("什" * 41, "longer than 40"),
        ("'[" + "什么|" * 200 + "]事呀'", "more than 400 characters"),
        ("'" + "[什|么]" * 90 + "'", "more than 400 characters"),
        ("yes", "string"),
    ],
)
def test_endless_and_empty_wordings(tmp_path: Path, wording: str, named: str) -> None:
    path = tmp_path / "own.yaml"
    first = f"    wordings:\n      - {wording}\n"
    path.write_text(GOOD.replace("    wordings:\n", first, 1), encoding="utf-8")
    sentence = refused(path)
    for part in ("line", "entry what-is-it", "wordings", named):
        assert part in sentence


def test_more_wordings_than_can_be_listened_for(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    more = "".join(f"      - 啥事儿{chr(0x4E00 + n)}\n" for n in range(5_000))
    path.write_text(GOOD.replace("    wordings:\n", "    wordings:\n" + more, 1), encoding="utf-8")
    assert "5000 are the most" in refused(path)


def test_a_file_beyond_all_bounds(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    with path.open("wb") as file:
        file.truncate(10 * 2**20)
    assert f"larger than {LARGEST // 1000} kB" in refused(path)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD, encoding=encoding)
    assert "save it as UTF-8" in refused(path)


def test_a_byte_order_mark_and_dos_lines_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_phrases(path).version == load_phrases().version


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path)
    assert "cannot be read" in refused(tmp_path / "none.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "no file" in refused(tmp_path / "pipe.yaml")


def test_every_wrong_file_is_named(tmp_path: Path) -> None:
    phrases, waiting = tmp_path / "p.yaml", tmp_path / "w.yaml"
    phrases.write_text(GOOD.replace("source: A12", "source: Z9", 1), encoding="utf-8")
    with pytest.raises(RulesWrong) as error:
        load_rules(ConductSettings(phrases=phrases, waiting=waiting))
    first, second = error.value.problems
    assert "entry what-is-it, source" in first
    assert "w.yaml: cannot be read" in second
