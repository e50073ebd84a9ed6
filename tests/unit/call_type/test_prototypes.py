"""Likeness to examples."""

from __future__ import annotations

import numpy as np
import pytest

from services.call_type.prototypes import fit, softmax

pytestmark = pytest.mark.unit

LABELS = ("红", "绿", "蓝")


def cloud(spread: float) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Ten examples a label around its direction, all in a narrow cone."""
    random = np.random.default_rng(7)
    rows, examples = [], []
    for index, label in enumerate(LABELS):
        for number in range(10):
            row = np.full(8, 3.0)
            row[index] += 1
            row += random.normal(0, spread, 8)
            rows.append(row / np.linalg.norm(row))
            examples.append((label, f"{label}{number}"))
    return examples, np.array(rows)


def test_unlike_texts_in_a_narrow_cone_are_told_apart() -> None:
    examples, rows = cloud(0.1)
    assert (rows @ rows.T).min() > 0.9, "as sentence models have it"
    prototypes = fit(LABELS, examples, rows)
    for row, (label, _) in zip(rows, examples, strict=True):
        leanings = prototypes.leanings(row)
        assert LABELS[int(leanings.argmax())] == label
        assert abs(leanings.sum()) < 1e-9
        assert prototypes.texts[prototypes.nearest(row)].startswith(label)
    assert prototypes.texts[prototypes.nearest(rows[0], "蓝")].startswith("蓝")


def test_examples_that_overlap_make_it_less_sure() -> None:
    clear, blurred = (fit(LABELS, *cloud(spread)) for spread in (0.05, 1.0))
    assert blurred.sharpness < clear.sharpness
    row = cloud(0.05)[1][0]
    assert softmax(blurred.leanings(row)).max() < softmax(clear.leanings(row)).max()


def test_the_labels_keep_their_given_order() -> None:
    examples, rows = cloud(0.1)
    turned = fit(LABELS[::-1], examples, rows)
    assert turned.labels[int(turned.leanings(rows[0]).argmax())] == "红"
