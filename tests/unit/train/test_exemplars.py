"""Tables of exemplars: read as they are written, and every mistake named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.common.datafiles import DataFileError
from services.conduct.books import DATA, load_meaning, load_phrases
from tools.train.exemplars import Exemplar, digest, read_exemplars

pytestmark = pytest.mark.unit

RULES = frozenset({"impossible", "shirking"})
HEADER = "rule,kind,before,text,words\n"


def table(folder: Path, text: str | bytes, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_what_a_table_says(tmp_path: Path) -> None:
    table(tmp_path, "\ufeff" + HEADER + "none,plain,,您好， ,\n", "two.csv")
    lines = 'impossible+shirking,split,这不,"可能的,您问别人",可能的\n'
    table(tmp_path, HEADER + lines + "impossible,split,这不,可能,不可能\n", "one.csv")
    (tmp_path / "README.md").write_text("no table", encoding="utf-8")
    assert read_exemplars(tmp_path, RULES) == [
        Exemplar("impossible", ("shirking",), "split", "这不", "可能的,您问别人", "可能的", "one"),
        Exemplar("impossible", (), "split", "这不", "可能", "不可能", "one"),
        Exemplar("", (), "plain", "", "您好，", "", "two"),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ["line 1", "rule,kind,before,text,words"]),
        ("rule,text\n", ["line 1", "rule,kind,before,text,words"]),
        (HEADER + "none,plain,,好\n", ["line 2", "4 columns, not 5"]),
        (HEADER + "none,plain,,好,\nnone,plain,,好,好,好\n", ["line 3", "6 columns"]),
        (HEADER + "none,plain,,好,\n\n", ["line 3", "0 columns"]),
        (HEADER + "rude,para,,走开,走开\n", ["line 2, rule", "'rude'", "none"]),
        (HEADER + "impossible+rude,para,,走开,走开\n", ["line 2, rule", "'rude'"]),
        (HEADER + ",para,,走开,走开\n", ["line 2, rule", "none"]),
        (HEADER + "none,plain,好, ,\n", ["line 2, text", "0 characters"]),
        (HEADER + f"none,plain,,{'好' * 201},\n", ["line 2, text", "201 characters", "200"]),
        (HEADER + "impossible,para,,不行的,不可能\n", ["line 2, words"]),
        (HEADER + 'none,plain,,"两\n行",\nrude,plain,,好,\n', ["line 4, rule"]),
        (HEADER + 'none,plain,,"没有完\n', ["no table"]),
        ((HEADER + "none,plain,,你好,\n").encode("gb18030"), ["no table in UTF-8"]),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str | bytes, named: list[str]) -> None:
    path = table(tmp_path, text)
    with pytest.raises(DataFileError) as error:
        read_exemplars(tmp_path, RULES)
    sentence = str(error.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    for part in named:
        assert part in sentence


def test_a_folder_without_tables(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataFileError, match="holds no table"):
            read_exemplars(folder, RULES)
    (tmp_path / "own.csv").mkdir()
    with pytest.raises(DataFileError, match=r"own\.csv: cannot be read"):
        read_exemplars(tmp_path, RULES)


def test_ours_can_be_read_and_hold_every_rule() -> None:
    rules = frozenset(load_phrases().rules)
    ours = read_exemplars(DATA / "exemplars", rules)
    assert {one.rule for one in ours} == {"", *rules}
    assert len({one.author for one in ours}) > 1


def test_the_head_that_ships_was_learned_from_the_exemplars_that_ship() -> None:
    book = load_phrases()
    exemplars = read_exemplars(DATA / "exemplars", frozenset(book.rules))
    about = load_meaning().about
    assert about.version == digest(exemplars), "run `banxi train conduct`"
    assert set(about.wordings) == {w for rule in book.rules.values() for w in rule.wordings}
