from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from services.common.datafiles import DataFileError, Entry, fingerprint, read_data
from services.common.failure import CannotStart

pytestmark = pytest.mark.unit


class Rule(Entry):
    id: str
    words: tuple[str, ...]


class Rules(Entry):
    rules: tuple[Rule, ...]
    times: dict[str, int] = Field(default_factory=dict)


GOOD = "rules:\n  - id: first\n    words: [一]\n  - words: [二]\n    id: second\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[二]", "[二, 3]", "line 4, rules, entry second, words, entry 2: Input should be a valid"),
        ("    id: second\n", "", "line 4, rules, entry 2, id: Field required"),
        ("words: [一]", "wrods: [一]", "line 2, rules, entry first, words: Field required"),
        ("rules:", "times: {a: x}\nrules:", "line 1, times, a: Input should be a valid integer"),
        ("[一]", "[一", "line 4: is not YAML"),
        (GOOD, "- 1", "must hold named fields"),
        (GOOD, "", "must hold named fields"),
    ],
)
def test_a_mistake_is_named_by_file_line_entry_and_field(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        read_data(path, Rules)
    assert str(caught.value).startswith(f"{path}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_good_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text(GOOD, encoding=encoding)
        assert [rule.id for rule in read_data(path, Rules).rules] == ["first", "second"]


def test_what_cannot_be_read_stops_a_service_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    with pytest.raises(CannotStart, match=r"own\.yaml: cannot be read \(No such file"):
        read_data(path, Rules)
    path.write_bytes("规则".encode("gbk"))
    with pytest.raises(CannotStart, match=r"own\.yaml: is not UTF-8 text; save it as UTF-8"):
        read_data(path, Rules)


def test_the_fingerprint_is_of_the_exact_text(tmp_path: Path) -> None:
    one, other = tmp_path / "1.yaml", tmp_path / "2.yaml"
    one.write_text(GOOD)
    other.write_text(GOOD + "# checked\n")
    assert fingerprint(one) == fingerprint(one) != fingerprint(other)
    assert len(fingerprint(one, other)) == 8
