"""Loops of the recogniser against things people do say."""

from __future__ import annotations

import pytest

from services.transcription.data_files import load_inventions
from services.transcription.guard import Decoding, better, is_doubtful, is_loop, is_silence
from services.transcription.words import tidy

pytestmark = pytest.mark.unit


def heard(text: str, seconds: float, logprob: float = -0.3, **more: float) -> Decoding:
    return Decoding(text, seconds, logprob, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("好好好好好好好好好好", 1.0),
        ("您好，1,2,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3", 8.0),
        ("怎么办理怎么办理怎么办理怎么办理怎么办理怎么办理怎么办理怎么办理", 9.0),
        ("一句根本来不及说完的很长的话", 0.8),
    ],
)
def test_loops_are_recognised(text: str, seconds: float) -> None:
    assert is_loop(heard(text, seconds))
    assert is_doubtful(heard(text, seconds))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("好的。", 0.4),
        ("喂？喂？喂？", 1.5),
        ("别挂别挂别挂，我还没有说完", 3.0),
        ("你们到底管不管，你们到底管不管", 3.5),
        ("号码是一三八零零零零八八八八", 4.0),
        ("", 2.0),
    ],
)
def test_what_people_say_is_none(text: str, seconds: float) -> None:
    assert not is_loop(heard(text, seconds))


def test_a_decoding_stopped_at_its_limit_is_a_loop() -> None:
    assert is_loop(heard("那个那个", 3.0, unfinished=True))


def test_of_two_looks_the_surer_sound_one_is_believed() -> None:
    loop = heard("好" * 30, 2.0, -0.05)
    good, poor = heard("好的", 2.0, -0.6), heard("号的", 2.0, -1.2)
    nothing = heard("字", 2.0, -1.5, no_speech=0.9)

    assert better(loop, good) == good
    assert better(good, loop) == good
    assert better(poor, good) == good
    assert better(good, poor) == good
    assert better(loop, nothing) is None
    twice = heard("怎么办理怎么办理", 2.0, -0.1)
    assert better(twice, good) == good
    assert better(twice, twice) == twice
    assert is_silence(nothing)
    assert is_doubtful(poor)
    assert not is_doubtful(good)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("養老保險 怎麼 交 ,對嗎?", "养老保险怎么交，对吗？"),
        (" [unk] 你好 世界 ", "你好世界"),
        ("打12333,再 按 1", "打12333，再按1"),
        ("CPU 3.5 GHz, ok", "CPU 3.5 GHz, ok"),
        ("。，", ""),
    ],
)
def test_raw_text_is_made_fit_to_read(raw: str, text: str) -> None:
    assert tidy(raw) == text


def test_invented_lines_are_known_and_the_callers_words_are_not_among_them() -> None:
    inventions = load_inventions()

    for invented in ("谢谢观看！", "字幕由 Amara.org 社群提供", "請不吝點贊 訂閱 轉發"):
        assert tidy(invented) in inventions
    for said in ("谢谢", "谢谢您，再见", "我想订阅电子发票", "您好"):
        assert said not in inventions
