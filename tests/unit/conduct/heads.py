"""Meaning heads made by hand: a few grams with plain weights, so that what they read is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from services.conduct.books import Rules, load_phrases, load_rules
from services.conduct.phrases.meaning import FEWEST_GRAMS, About, Head

KNOWN = "how-would-i-know"
RAMBLE = "dont-ramble"
NONE = "none"
INNOCENT = -4.0
"""Bias of each rule: a text without known grams speaks for none."""
BOOK = load_phrases()
WORDINGS = tuple(wording for rule in BOOK.rules.values() for wording in rule.wordings)
# whole, part, across, a hit, its score, around it, loose score, loose agrees, excused, constant
JOINT = (1.0, 1.0, 1.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Fires where the text speaks for an offence; a phrase that is there outweighs odds of -5."""
DEAF = (*JOINT[:9], -100.0)
"""Never fires."""


def head(
    grams: Mapping[str, Mapping[str, float]] | None = None,
    *,
    rules: Sequence[str] = (KNOWN, RAMBLE),
    wordings: Sequence[str] = WORDINGS,
    joint: Sequence[float] = JOINT,
    joint_words: Sequence[float] = JOINT,
) -> Head:
    """A head that knows these grams, each with what it adds for a rule or for `NONE`, where the
    text has no more than `FEWEST_GRAMS` of them. Its vectors have two numbers: the first speaks
    for the first rule, the second for none, 10 each."""
    known = grams or {"c真慢": {rules[0]: 10.0}, "c帮": {NONE: 12.0}}
    columns = [*rules, NONE]
    weights = np.zeros((len(known), len(columns)), dtype=np.float32)
    for row, gains in enumerate(known.values()):
        for name, gain in gains.items():
            weights[row, columns.index(name)] = gain * FEWEST_GRAMS**0.5
    bias = np.array([INNOCENT] * len(rules) + [0.0], dtype=np.float32)
    vector_weights = np.zeros((2, len(columns)), dtype=np.float32)
    vector_weights[0, 0] = vector_weights[1, -1] = 10.0
    about = About(
        version="by-hand",
        embedding="scripted 1",
        rules=tuple(rules),
        vector_share=1.0,
        wordings=tuple(wordings),
        joint=tuple(joint),
        joint_words=tuple(joint_words),
    )
    zeros = np.zeros(len(columns), dtype=np.float32)
    return Head(about, known, weights, bias, np.zeros(2, np.float32), vector_weights, zeros)


def rules_with(meaning: Head) -> Rules:
    """The rules of the service with another head."""
    return replace(load_rules(), meaning=meaning)
