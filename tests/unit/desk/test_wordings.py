"""What the desk holds of agreed wordings: late news, receipts that only grow, and their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.news import WordingRead, WordingsChanged
from contracts.requests import Problem, Receipt, Wording, WordingsListed
from services.desk.wordings import Wordings, sentence

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def wording(name: str, *readers: str, until: datetime | None = None) -> Wording:
    return Wording(
        wording_id=name,
        title=f"话题 {name}",
        body="说法",
        announced_by="b01",
        announced_at=NOON,
        until=until,
        receipts=tuple(Receipt(by=by, at=NOON) for by in readers),
    )


def changed(number: int, *wordings: Wording) -> WordingsChanged:
    return WordingsChanged(site="s", wordings=wordings, number=number)


def read(name: str, by: str) -> WordingRead:
    return WordingRead(site="s", wording_id=name, receipt=Receipt(by=by, at=NOON))


def ids(held: Wordings) -> list[str]:
    return [w.wording_id for w in held.wordings]


def test_news_that_came_late_say_nothing_and_what_was_asked_for_counts() -> None:
    held = Wordings().after_news(changed(5, wording("b"), wording("a")))
    assert ids(held.after_news(changed(4, wording("a")))) == ["b", "a"]
    assert ids(held.after_news(changed(6, wording("a")))) == ["a"]
    # Another database, which counts anew.
    asked = held.after_list(WordingsListed(wordings=(wording("z"),), number=1))
    assert (ids(asked), asked.heard) == (["z"], True)


def test_receipts_outlive_news_without_them_and_count_once() -> None:
    held = Wordings(agents=("008", "015")).after_news(changed(1, wording("a")))
    for news in (read("a", "015"), read("a", "015"), read("nobody-knows", "015")):
        held = held.after_receipt(news)
    held = held.after_news(changed(2, wording("b"), wording("a")))
    held = held.after_list(WordingsListed(wordings=(wording("b"), wording("a", "gone")), number=2))
    new, old = held.for_wall()["list"]
    assert (new["read"], new["unread"]) == ([], ["008", "015"])
    # Somebody who has no account any more is not counted.
    assert ([by for by, _ in old["read"]], old["unread"]) == (["015"], ["008"])
    assert [item["read"] for item in held.for_agent("015")] == [False, True]
    assert "receipts" not in held.for_agent("015")[0]


def test_what_ends_goes_at_its_moment() -> None:
    end = NOON + timedelta(hours=1)
    held = Wordings().after_news(changed(1, wording("a", until=end), wording("b")))
    assert held.at(end - timedelta(seconds=1)) is held
    assert ids(held.at(end)) == ["b"]


def test_what_is_refused_is_said_in_words_of_the_page() -> None:
    for problem in (
        Problem(code="invalid", message="", field="until"),
        Problem(code="conflict", message="", field="title"),
        Problem(code="conflict", message=""),
        Problem(code="not_found", message=""),
    ):
        assert not (sentence(problem) or "a").isascii()
    assert sentence(Problem(code="unavailable", message="")) is None
