"""Errors by sound: as many as asked for, alike in sound, the same every time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from services.call_type.tables import PACKAGED
from services.common.sound import blurred, syllables
from tools import misheard as module
from tools.misheard import misheard
from tools.train.dialogues import read_calls

pytestmark = pytest.mark.unit

CHINESE = re.compile(r"[\u4e00-\u9fff]")
TEXTS = [turn.text for call in read_calls(PACKAGED / "exemplars")[:120] for turn in call.turns]


@pytest.mark.parametrize("share", [0.05, 0.15, 0.3])
def test_about_as_many_characters_as_asked_for_are_wrong(share: float) -> None:
    wrong = sum(Levenshtein.distance(text, misheard(text, share)) for text in TEXTS)
    every = sum(len(CHINESE.findall(text)) for text in TEXTS)
    assert every > 15_000
    assert wrong / every == pytest.approx(share, rel=0.1)
    assert sum(len(misheard(text, share)) for text in TEXTS) < sum(map(len, TEXTS)), "some are lost"


def test_the_same_seed_gives_the_same_errors() -> None:
    some = TEXTS[:100]
    first = [misheard(text, 0.2, seed=1) for text in some]
    assert [misheard(text, 0.2, seed=1) for text in reversed(some)] == first[::-1]
    assert [misheard(text, 0.2, seed=2) for text in some] != first
    assert [misheard(text, 0.0, seed=1) for text in some] == some


def test_what_is_heard_sounds_like_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is dropped here, so that characters stand beside each other."""
    monkeypatch.setattr(module, "_DROPPED", 0.0)
    changed = 0
    for text in TEXTS[:300]:
        heard = misheard(text, 0.5)
        for was, sound, now in zip(text, syllables(text), heard, strict=True):
            if was != now:
                changed += 1
                assert blurred(syllables(now)[0]) == blurred(sound)
    assert changed > 1000


@given(st.text(max_size=60), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_misheard_and_only_its_chinese(text: str, seed: int) -> None:
    heard = misheard(text, 0.9, seed)
    assert CHINESE.sub("", heard) == CHINESE.sub("", text)
    assert len(heard) <= len(text)


def test_figures_and_latin_letters_stay() -> None:
    assert misheard("OK 12333, app 2026 年", 0.9).startswith("OK 12333, app 2026 ")
