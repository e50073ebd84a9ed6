from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.records import traces as module
from services.records.traces import traces

pytestmark = pytest.mark.unit

TEXTS = st.text(alphabet="ab", min_size=8, max_size=12)


@given(st.text(alphabet="ab", max_size=200), st.sets(TEXTS, max_size=6), st.integers(13, 40))
def test_what_is_found_is_what_stands_there(
    tmp_path_factory: pytest.TempPathFactory, content: str, texts: set[str], block: int
) -> None:
    path = tmp_path_factory.mktemp("traces") / "file"
    path.write_text(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)  # so that texts lie across blocks
        found = traces([path, path.with_name("absent")], texts)
    assert found == {text for text in texts if text in content}


def test_texts_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\x00" * 1000 + "社保卡丢了".encode() + b"\xff" * 3)
    assert traces([path], {"社保卡丢了", "社保卡没丢"}) == {"社保卡丢了"}


def test_a_text_across_two_blocks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 16)
    path = tmp_path / "file"
    for before in range(40):
        path.write_text("." * before + "the-call-id" + "." * 20)
        assert traces([path], {"the-call-id"}) == {"the-call-id"}, before
