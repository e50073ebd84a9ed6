"""`manner.yaml`: mistakes are named, and its words are heard where they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.base import Role
from services.common.datafiles import DataFileError
from services.conduct.books import DATA, load_manner

pytestmark = pytest.mark.unit

BOOK = load_manner()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("pace_limit: 300", "pace_limit: fast", ["line ", "limits", "pace_limit"]),
        ("pace_calm: 270", "pace_calm: 310", ["limits", "pace_calm"]),
        ("repeat_times: 3 ", "repeat_times: 1 ", ["limits", "repeat_times"]),
        ("    tail: 10", "    tale: 10", ["signs", "caller_waits", "tale"]),
        ("      - 去死\n", "      - 去[死\n", ["signs", "abuse", "wordings", "brackets"]),
        ("word: 这个,", "word: 那个,", ["tics", "那个", "word"]),
        ("forms: [的话]", "forms: []", ["tics", "forms"]),
        ("  pace:\n", "  hurry:\n", ["warnings", "hurry"]),
        ("  pace:\n", "  silence:\n", ["warnings", "silence"]),
        ("questions: [", "questions: [[", ["line"]),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, named: list[str]) -> None:
    text = (DATA / "manner.yaml").read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path = tmp_path / "manner.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as error:
        load_manner(path)
    for part in ["manner.yaml", *named]:
        assert part in str(error.value)


def test_a_wrong_limit_of_the_site() -> None:
    with pytest.raises(DataFileError, match=r"the site's own limits.*pace_calm"):
        load_manner(None, {"pace_limit": 200.0})


@pytest.mark.parametrize(
    ("role", "text", "signs"),
    [
        ("caller", "你好，我想问一下公积金怎么提取", []),
        ("caller", "我的档案还在吗", []),
        ("caller", "那个窗口有人吗", []),
        ("caller", "社保断了怎么办", []),
        ("caller", "我要办死亡登记，去死亡证明那里", []),
        ("caller", "养老子女能不能领", []),
        ("caller", "神经病变能报销吗", []),
        ("caller", "废物处理费怎么交", []),
        ("caller", "我等一下再打", []),
        ("caller", "我拿支笔", ["caller_waits"]),
        ("caller", "", []),
        ("agent", "", []),
        ("agent", "你们这帮混蛋", []),
        ("agent", "感谢您的耐心等待，祝您生活愉快", []),
        ("agent", "好的，请问您贵姓", ["question"]),
        ("agent", "请您不要挂断电话", []),
        ("agent", "您可以先挂机，我稍后给您回电", []),
        ("agent", "办完以后系统会自动中断服务", []),
    ],
)
def test_what_words_show(role: Role, text: str, signs: list[str]) -> None:
    assert sorted(BOOK.of(role, text).signs) == signs


def test_characters_are_counted_as_they_are_spoken() -> None:
    assert BOOK.of("agent", "请打12333，说OK。😀").characters == 2 + 5 + 1 + 1
