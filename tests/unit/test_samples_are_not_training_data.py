"""The sample calls are a smoke test: no rule, lexicon, base entry or prototype repeats them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
RUN = 8
"""Characters in a row that count as repeating."""


def hanzi(text: str) -> str:
    """Only the Chinese characters, 您 as 你 and 得, 地 as 的: as the rules compare them."""
    text = text.replace("您", "你").replace("得", "的").replace("地", "的")
    return "".join(re.findall(r"[一-鿿]", text))


def runs(text: str) -> set[str]:
    plain = hanzi(text)
    return {plain[i : i + RUN] for i in range(len(plain) - RUN + 1)}


def spoken() -> set[str]:
    """Every run of the nine scripts that is not wording of the hotlines' own rules."""
    found: set[str] = set()
    for path in sorted((ROOT / "samples" / "calls").glob("*.json")):
        for utterance in json.loads(path.read_text(encoding="utf-8"))["script"]:
            found |= runs(utterance["text"])
    phrases = (ROOT / "tests" / "data" / "domain_phrases.txt").read_text(encoding="utf-8")
    for line in phrases.splitlines():
        found -= runs(line)
    return found


def data_files() -> list[Path]:
    kinds = ("*.yaml", "*.csv", "*.jsonl", "*.txt")
    services = [p for kind in kinds for p in (ROOT / "services").glob(f"*/data/**/{kind}")]
    tuned_on = (ROOT / "eval_data").glob("*.dev.jsonl")
    return sorted([*services, *tuned_on])


def test_there_is_something_to_compare() -> None:
    assert len(spoken()) > 500
    assert len(data_files()) >= 8


@pytest.mark.parametrize("path", data_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_data_file_repeats_a_sample_call(path: Path) -> None:
    ours: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        ours |= runs(line)
    assert sorted(ours & spoken()) == []
