"""Heads kept in a file, and what they say of what they do not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from contracts.call_type import CALL_TYPES
from services.call_type.types.look import look
from services.call_type.types.model import MADE_BY, About, load_model
from services.common.datafiles import DataFileError
from services.common.heads import (
    FEWEST,
    GramBlock,
    Head,
    VectorBlock,
    load_heads,
    save_heads,
)
from tests.unit.call_type.scripted import assessor, clear, final, meant, model, vector

pytestmark = pytest.mark.unit

DICE = np.random.default_rng(7)
WORDS = {f"c{character}": row for row, character in enumerate("天地玄黄宇宙洪荒日月盈昃辰宿列张")}
LABELS = ("one", "two", "三")


class Note(BaseModel):
    """What a file says of itself."""

    version: str


def head() -> Head:
    def some(*shape: int) -> Any:
        return DICE.normal(size=shape).astype(np.float32)

    return Head(
        LABELS,
        {"last": GramBlock(WORDS, some(len(WORDS), 3)), "none": GramBlock({}, some(1, 3) * 0)},
        some(3),
        {"last": VectorBlock(some(8), some(8, 3))},
        some(3),
    )


def save(path: Path, one: Head) -> Path:
    save_heads(path, Note(version="v1"), {"it": one}, {"extra": np.arange(3, dtype=np.float32)})
    return path


def test_a_head_that_was_kept_reads_as_before(tmp_path: Path) -> None:
    """Grams within the step of their bytes, vectors within that of half floats."""
    before = head()
    about, heads, extra = load_heads(save(tmp_path / "it.npz", before), Note, "banxi train it")
    after = heads["it"]
    assert (about.version, list(extra["extra"])) == ("v1", [0, 1, 2])
    assert (after.labels, tuple(after.grams)) == (LABELS, ("last", "none"))
    some = ["c天", "c月", "c张", "c未知"]
    rows = {"last": before.grams["last"].rows(some)}
    assert np.allclose(before.words(rows), after.words(rows), atol=0.02)
    seen = {"last": DICE.normal(size=8).astype(np.float32)}
    assert np.allclose(before.meaning(seen), after.meaning(seen), atol=0.01)
    assert np.exp(after.meaning(seen)).sum() == pytest.approx(1, abs=1e-5)


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    one = head()
    first, second = (save(tmp_path / name, one).read_bytes() for name in ("a.npz", "b.npz"))
    assert first == second


def test_what_is_not_known_says_nothing() -> None:
    """Unknown grams, places and absent vectors leave the bias; a gram counts once."""
    one = head()
    block = one.grams["last"]
    bias = np.exp(one.words({}))
    assert np.array_equal(block.rows(["c天", "c未", "c天"]), [0])
    assert np.array_equal(np.exp(one.words({"last": block.rows(["c未", "s wei"])})), bias)
    assert np.array_equal(one.meaning({"last": None}), one.meaning({}))
    alone = np.exp(one.meaning({"last": one.vectors["last"].centre}))
    assert np.allclose(alone, np.exp(one.meaning({}))), "what all have in common tells nothing"


def test_a_long_text_says_no_more_than_its_share() -> None:
    """Few grams count as `FEWEST`; many are scaled by their root."""
    block = head().grams["last"]
    few, all_ = block.rows(["c天"]), block.rows(WORDS)
    assert np.allclose(block.logits(few), block.weights[0] / np.sqrt(FEWEST))
    assert np.allclose(block.logits(all_), block.weights.sum(axis=0) / np.sqrt(len(WORDS)))


def spoiled(tmp_path: Path, change: dict[str, Any]) -> Path:
    """The scripted model's file with some parts changed, or left out (None)."""
    file = tmp_path / "types.npz"
    model().save(file)
    with np.load(file) as content:
        parts = {name: content[name] for name in content.files} | change
    np.savez(file, **{name: part for name, part in parts.items() if part is not None})
    return file


@pytest.mark.parametrize(
    "change",
    [
        {"about": None},
        {"about": np.frombuffer(b'{"version": "1"}', dtype=np.uint8)},
        {"extra/turning": None},
        {"extra/turning": np.zeros(3, dtype=np.float32)},
        {"extra/joint_types": np.zeros((3, 10), dtype=np.float32)},
        {"types/labels": np.frombuffer("\n".join(CALL_TYPES[::-1]).encode(), dtype=np.uint8)},
        {"types/grams/last/scales": None},
        {"intakes/labels": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_file_of_another_version_is_refused_with_the_remedy(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    file = spoiled(tmp_path, change)
    with pytest.raises(DataFileError) as stopped:
        load_model(file)
    sentence = str(stopped.value)
    assert sentence.startswith(str(file))
    assert f"`{MADE_BY}`" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "change",
    [
        {"extra/turning": np.full(11, np.nan, dtype=np.float32)},
        {"types/vectors/last/centre": np.zeros(3, dtype=np.float32)},
        {"types/grams/last/vocabulary": np.frombuffer("c甲".encode(), dtype=np.uint8)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_numbers_that_do_not_fit_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(DataFileError, match=r"types\.npz"):
        load_model(spoiled(tmp_path, change))


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.npz"
    model().save(broken)
    broken.write_bytes(broken.read_bytes()[:2000])
    foreign = save(tmp_path / "foreign.npz", head())
    (tmp_path / "text.npz").write_text("不是模型", encoding="utf-8")
    (tmp_path / "folder.npz").mkdir()
    for file in (broken, foreign, tmp_path / "text.npz", tmp_path / "folder.npz"):
        with pytest.raises(DataFileError, match=MADE_BY):
            load_model(file)
    with pytest.raises(DataFileError, match=MADE_BY):
        load_model(tmp_path / "nowhere.npz")


def test_a_model_that_was_kept_reads_a_call_as_before(tmp_path: Path) -> None:
    """With and without vectors; where the last words have no vector, the words decide."""
    model().save(tmp_path / "types.npz")
    kept = load_model(tmp_path / "types.npz")
    assert kept.about == About(version="00000001", embedding="scripted 1", calls=0, figures={})
    assert np.array_equal(kept.turning, model().turning)
    judge = assessor()
    for text, seen in ((clear("哭诉"), None), (meant("投诉"), vector(meant("投诉")))):
        heard = final(0, text)
        said = judge.ear.hear(heard.event_id, "caller", (0, 900), text, seen)
        view = look(judge.begin().dialogue.after(said))
        before, after = model().read(view), kept.read(view)
        assert np.allclose(before.types, after.types, atol=0.02)
        assert np.allclose(before.intakes, after.intakes, atol=0.02)
        assert CALL_TYPES[int(after.types.argmax())] == ("投诉" if seen is not None else "哭诉")
    silent = judge.ear.hear("e", "caller", (0, 900), meant("投诉"), None)
    view = look(judge.begin().dialogue.after(silent))
    assert np.allclose(np.exp(kept.read(view).types), 0.1, atol=0.01)
