"""Which askings join: decided by meaning, by words where there are no vectors, at any number."""

from __future__ import annotations

import numpy as np
import pytest

from services.knowledge.finding.background import Vectors
from services.knowledge.gaps.likeness import Known, Shelf, best_words, likeness

pytestmark = pytest.mark.unit


def direction(number: int) -> Vectors:
    made = np.random.default_rng(number).normal(size=64).astype(np.float32)
    return made / np.linalg.norm(made)


def test_words_that_sound_the_same_are_one_matter_whatever_their_vectors() -> None:
    assert likeness("犬证在哪里办", "全证在哪里办", -1.0) > 0


def test_without_vectors_only_nearly_equal_words_are_one_matter() -> None:
    assert likeness("公租房的租金怎么交", "公租房租金怎么交", None) > 0
    assert likeness("公租房租金怎么交", "公租房漏水找谁修", None) < 0


def test_words_shared_are_not_held_for_meaning_shared() -> None:
    meaning = 0.83  # what the model says of both pairs
    assert likeness("护照过期了怎么换新的", "居住证过期了怎么换新的", meaning) < 0
    assert likeness("护照过期了怎么换新的", "到期的护照要更新咋办理", meaning) > 0


def test_an_asking_finds_its_gap_among_thousands() -> None:
    shelf = Shelf()
    shelf.add([Known(f"g{i}", f"问题{i}号怎么办", direction(i)) for i in range(5000)])
    near = direction(4321) + 0.05 * direction(9)
    assert shelf.gap_of("第四千三百多个该咋弄", near) == "g4321"
    assert shelf.gap_of("从来没人提过", direction(77777)) is None


def test_an_asking_kept_without_a_vector_is_found_by_its_words() -> None:
    shelf = Shelf()
    shelf.add([Known("g1", "夜市摆摊怎么报名", None), Known("g2", "水库钓鱼要证吗", direction(2))])
    assert shelf.gap_of("夜市摆摊怎么报名", direction(5)) == "g1"


def test_a_gap_is_named_by_what_its_askings_share() -> None:
    said = [
        "夜市摆摊怎么报名",
        "夜市摆摊报名",
        "那个我老公下岗了想去夜市那边摆个摊卖点烤串啥的你说要怎么报名呢",
    ]
    assert best_words(said) in said[:2]
