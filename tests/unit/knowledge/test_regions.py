"""The tree of regions."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.common.failure import CannotStart
from services.knowledge.entries.regions import BadRegions, read_regions
from services.knowledge.settings import KnowledgeSettings, region_tree

pytestmark = pytest.mark.unit


def test_a_region_lies_in_all_above_it() -> None:
    tree = read_regions("\ufeffname,parent\n云岭县,临江市\n临江市,青川省\n\n青川省,\n")
    assert tree.chain("云岭县") == ("云岭县", "临江市", "青川省")
    assert tree.chain("青川省") == ("青川省",)
    assert tree.chain("火星市") == ("火星市",)
    assert "火星市" not in tree


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the header"),
        ("name,parent\n", "no region"),
        ("name,parent\na,\n,a\n", "line 3: name is empty"),
        ("name,parent\na,\nb,c\n", "line 3: parent c is not"),
        ("name,parent\na,\na,\n", "line 3: a stands on line 2"),
        ("name,parent\na,b\nb,a\n", "line 2: a lies in itself"),
    ],
)
def test_what_is_no_tree_is_named(text: str, words: str) -> None:
    with pytest.raises(BadRegions, match=words):
        read_regions(text)


def test_settings_that_do_not_fit_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"BANXI_KNOWLEDGE__REGION: 火星市 is not in"):
        region_tree(KnowledgeSettings(region="火星市"))
    with pytest.raises(CannotStart, match=r"cannot be read"):
        region_tree(KnowledgeSettings(regions=tmp_path / "none.csv"))
    (tmp_path / "bad.csv").write_text("name\nx\n")
    with pytest.raises(CannotStart, match=r"bad\.csv, line 1"):
        region_tree(KnowledgeSettings(regions=tmp_path / "bad.csv"))
