"""What stands in the logs, and what never does."""

from __future__ import annotations

import asyncio
import gc
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


async def test_nor_does_a_task_nobody_waited_for_tell_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = "我姓王，我的号码是19900000001"

    async def fail() -> None:
        raise ValueError(words)

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    (record,) = [record for record in caplog.records if record.name == "asyncio"]
    assert words in record.getMessage()
    line = FieldFormatter().format(record)
    assert "我姓王" not in line
    assert "Task exception was never retrieved" in line
