"""What the model learns is what it serves, and what it goes on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.embedding.matters import Matters
from services.knowledge.finding.background import DATA
from tools.train import matters
from tools.train.asked import Author, read_authors
from tools.train.matters import Teacher, lesson

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TEXTS = ["社保卡丢了怎么补", "我那张卡找不着了"]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Teacher]:
    """A file of what was learned of one author, and who learned it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matters, "ROUNDS", 1)
        teacher = Teacher(lambda _: None)
        teacher.learn([lesson(_little())])
    path = tmp_path_factory.mktemp("learned") / "matters.npz"
    teacher.save(path, "一课")
    return path, teacher


def _little() -> Author:
    """A few entries of one author, and what is asked of them."""
    author = read_authors(DATA / "exemplars")[0]
    entries = author.entries[:24]
    ids = {entry.id for entry in entries}
    asked = [q for q in author.questions if q.expect and q.expect.id in ids]
    return replace(author, entries=entries, questions=tuple(asked))


def test_the_service_makes_the_vectors_that_were_learned(learned: tuple[Path, Teacher]) -> None:
    path, teacher = learned
    served = Matters(path)

    assert served.version == "一课"
    assert np.allclose(served.embed(TEXTS), teacher.vectors(TEXTS), atol=2e-3)
    assert not np.allclose(served.embed(TEXTS), Teacher(lambda _: None).vectors(TEXTS), atol=2e-2)


def test_learning_goes_on_from_what_was_learned(learned: tuple[Path, Teacher]) -> None:
    path, teacher = learned
    later = Teacher(lambda _: None)
    later.go_on(path)

    assert np.allclose(later.vectors(TEXTS), teacher.vectors(TEXTS), atol=2e-3)


def test_it_does_not_go_on_from_another_kind_of_file(tmp_path: Path) -> None:
    path = tmp_path / "matters.npz"
    parts = {"version": np.asarray("x"), "l3.q.A": np.zeros((99, 384))}
    np.savez(path, allow_pickle=False, **parts)

    with pytest.raises(ValueError, match=r"matters\.npz"):
        Teacher(lambda _: None).go_on(path)
