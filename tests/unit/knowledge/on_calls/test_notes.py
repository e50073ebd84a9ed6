"""What to mind about an answer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.knowledge.on_calls.notes import SOON_DAYS, note

pytestmark = pytest.mark.unit

DAY = date(2026, 6, 1)


def test_other_regions_rules_are_named() -> None:
    assert note("临江市", ("云岭县", "临江市", "云岭县"), None, DAY) == (
        "云岭县另有规定，请先问清对方在哪里办。"
    )
    assert note("临江市", ("临江市",), None, DAY) == ""


def test_an_answer_that_ends_soon_says_so() -> None:
    assert "6 月 30 日到期" in note("临江市", (), date(2026, 6, 30), DAY)
    assert "今天到期" in note("临江市", (), DAY, DAY)
    assert note("临江市", (), DAY + timedelta(SOON_DAYS + 1), DAY) == ""
    assert note("临江市", (), DAY - timedelta(1), DAY) == ""
