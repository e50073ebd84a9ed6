"""What the knowledge service says of files and rows is known to the editors' page in Chinese."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.requests import ImportPlanned, RowNote, RowProblem, RowWarning
from services import knowledge
from services.desk import kb_rows
from services.desk.kb_rows import for_page, in_chinese, said_of_file, said_of_row

pytestmark = pytest.mark.unit

HERE = Path(knowledge.__file__).parent
MODULES = [*HERE.glob("files/*.py"), *HERE.glob("directory/*s.py")]
BEFORE = ("", "7 ", "has 7 characters, ")
"""What may stand before a piece of a sentence."""

PIECES = {"has 7 characters, 7"}
"""What is filled in with a sentence that is looked at by itself."""


def sentences(module: Path) -> Iterator[str]:
    """Every English text of a module that is no docstring; what is filled in becomes 7."""
    tree = ast.parse(module.read_text("utf-8"))
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in node.values}
            parts = (p.value if isinstance(p, ast.Constant) else "7" for p in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in passed:
            yield str(node.value).replace("{}", "7")


def test_every_sentence_of_the_service_about_files_is_known() -> None:
    found = {text for module in MODULES for text in sentences(module)}
    english = {text for text in found if text.isascii() and text.count(" ") > 1}
    english |= {text for text in found if text.startswith(("is ", "has ", "holds "))}
    assert len(english) > 40
    unknown = {t for t in english - PIECES if not any(in_chinese(b + t) for b in BEFORE)}
    assert unknown == set()


def test_what_stood_in_the_file_is_kept_as_it_is() -> None:
    assert said_of_row("火星 {0} 市 is not in the table of regions") == "“火星 {0} 市”不在地区表里"
    assert said_of_row("has 3,001 characters, at most 3,000 are taken") == (
        "有 3,001 个字，最多 3,000 个"
    )
    assert said_of_row("标为已授权，却没有写明授权人") == "标为已授权，却没有写明授权人"
    assert said_of_row("some new sentence") == kb_rows.UNKNOWN
    assert said_of_file("表 1.csv", "表 1.csv has no column id, answer in its header") == (
        "“表 1.csv”表头里缺少这些列：id, answer。"
    )
    assert said_of_file("a.csv", "some new sentence") is None


def test_a_plan_is_shown_in_chinese() -> None:
    planned = ImportPlanned(
        added=0,
        changed=0,
        unchanged=0,
        problems=(RowProblem(line=2, field="id", message="is empty"),),
        notes=(
            RowNote(
                line=3, field="answer", message="characters that nobody can see were taken out: 2"
            ),
        ),
        warnings=(
            RowWarning(
                line=3, entry_id="a", other="a", sort="draft",
                why="a draft of it awaits a decision: the import puts it away",
            ),
        ),
    )  # fmt: skip
    shown = for_page(planned)
    assert isinstance(shown, ImportPlanned)
    assert shown.problems[0].message == "不能是空的"
    assert shown.notes[0].message == "去掉了 2 个看不见的字符"
    assert "草稿" in shown.warnings[0].why
