"""What the editors' page may ask, in whose name, and what it says where it was refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.requests import ApplyImport, DecideDraft, DraftEntry, ListEntries, Problem, PutOffice
from services.desk import kb_routes, kb_words
from services.desk.kb_routes import EDITORS, NotAsked, asked

pytestmark = pytest.mark.unit

DRAFT: dict[str, Any] = {
    "revision": 0,
    "fields": {"question": "社保卡怎么挂失", "department": "社保中心", "region": "临江市"},
}


def draft(fields: dict[str, str]) -> dict[str, Any]:
    return DRAFT | {"fields": DRAFT["fields"] | fields}


def body(**said: Any) -> bytes:
    return json.dumps(said).encode()


def test_lists_in_lists_without_end_are_no_request() -> None:
    with pytest.raises(NotAsked):
        asked("list", b"[" * 200_000, "k01")


def test_who_asks_is_the_account_whatever_the_page_says() -> None:
    draft = asked("draft", body(**DRAFT, by="k99"), "k01")
    assert isinstance(draft, DraftEntry) and draft.by == "k01"
    office = asked("put_office", body(office={"office_id": "o", "name": "a", "region": "b"}), "k01")
    assert isinstance(office, PutOffice) and office.by == "k01"
    assert asked("list", b"", "k01") == ListEntries()
    apply = asked("apply", body(import_id="i", imported_by="k99", authorised_by="k02"), "k01")
    assert isinstance(apply, ApplyImport)
    assert (apply.imported_by, apply.authorised_by) == ("k01", "k02")


def test_editors_may_ask_the_knowledge_service_alone_and_not_all_of_it() -> None:
    assert {request.service for request in EDITORS} == {"knowledge"}
    for verb in (
        "search",
        "import",
        "announce",
        "unannounce",
        "note_gap",
        "stage",
        "stage_file",
        "export",
        "import_offices",
        "describe",
    ):
        with pytest.raises(KeyError):
            asked(verb, b"{}", "k01")


@pytest.mark.parametrize(
    ("verb", "said", "field", "sentence"),
    [
        ("draft", draft({"question": ""}), "question", "“问题”不能"),
        ("draft", draft({"answer": "长" * 3001}), "answer", "太长"),
        ("draft", draft({"valid_to": "2026-02-30"}), "valid_to", "不是日期"),
        ("draft", draft({"intake": "闲聊"}), "intake", "不是可以选的值"),
        ("withdraw", {"entry_id": "e", "reason": ""}, "reason", "“理由”不能是空的"),
        ("list", {"skip": -1}, "", "没有看懂"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_said_by_field(
    verb: str, said: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(NotAsked, match=sentence) as refused:
        asked(verb, body(**said), "k01")
    assert refused.value.field == field


@pytest.mark.parametrize("raw", [b"[1]", b"{", b"\xff", b"null"])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(NotAsked, match="没有看懂"):
        asked("list", raw, "k01")


def test_refusals_are_said_in_chinese() -> None:
    def said(code: str, message: str, field: str | None = None, verb: str = "decide") -> str:
        return kb_words.sentence(Problem(code=code, message=message, field=field), verb)

    assert said("invalid", "起草人不能授权自己的草稿", "by") == "起草人不能授权自己的草稿。"
    assert said("invalid", "not the drafter", "by") == kb_words.FOUR_EYES["decide"]
    assert "适用地区" in said("invalid", "no such region", "region", "draft")
    for code in ("unavailable", "not_found", "conflict", "invalid", "internal"):
        assert not said(code, "some English words").isascii()


def test_every_field_of_an_entry_and_an_office_has_its_words_on_the_page() -> None:
    static = Path(kb_routes.__file__).parent / "static"
    words = (static / "kb_ask.js").read_text("utf-8")
    form = (static / "kb_form.js").read_text("utf-8")
    for name in DraftEntry.model_fields["fields"].annotation.model_fields:  # type: ignore[union-attr]
        assert f"{name}: " in words and f"{name}: " in form, name
        assert name in kb_words.FIELDS
    decisions = DecideDraft.model_fields["decision"].annotation.__args__  # type: ignore[union-attr]
    page = (static / "kb_entry.js").read_text("utf-8")
    assert all(f'decide("{decision}")' in page for decision in decisions)
