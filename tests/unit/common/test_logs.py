"""What stands in the logs, and what never does."""

from __future__ import annotations

import logging
import sys

import pytest

from services.common.logs import FieldFormatter

pytestmark = pytest.mark.unit


def record(message: str, **fields: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelname": "INFO", **fields})


def test_fields_follow_the_message() -> None:
    assert (
        FieldFormatter().format(record("call started", call="c1")).endswith("call started call=c1")
    )


def test_an_exceptions_own_text_is_left_out_since_it_may_hold_a_callers_words() -> None:
    words = "我姓王，我的号码是19900000001"
    try:
        raise ValueError(words)
    except ValueError:
        line = FieldFormatter().format(record("handler failed", exc_info=sys.exc_info()))
    assert "我姓王" not in line
    assert line.endswith("ValueError")
