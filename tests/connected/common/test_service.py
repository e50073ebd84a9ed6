"""The life of a service against a real server: ready, typed failures, wrong settings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from contracts.requests import (
    AskHistory,
    Describe,
    Description,
    History,
    PastCall,
    Problem,
    Reply,
)
from services.common.bus import Bus, RequestFailed
from services.common.service import Service
from services.common.settings import ServiceSettings

pytestmark = pytest.mark.connected


NONSENSE = [
    (b"{nonsense", None),
    (b"[" * 100_000, None),
    (b"no json", "application/json"),
    (b"\xff\xfe", "text/plain"),
]


def settings(nats_url: str, site: str) -> ServiceSettings:
    return ServiceSettings(nats_url=nats_url, site=site)


async def test_a_service_describes_itself_and_answers_typed(
    nats_url: str, site: str, bus: Bus
) -> None:
    service = Service("records", settings(nats_url, site))

    async def history(asked: AskHistory) -> Reply:
        if asked.caller_number == "0":
            raise RequestFailed(Problem(code="not_found", message="nobody"))
        if asked.caller_number == "1":
            raise ValueError("a number in here must not get out: 19900000001")
        return History(calls=(PastCall(call_id="c1", started_at="2026-01-01T00:00:00Z"),))

    service.answers(AskHistory, history)
    async with service.running():
        said = await bus.request_of("records", Describe(), Description)
        assert (said.service, said.ready) == ("records", True)
        assert (await bus.request(AskHistory(caller_number="2"), History)).calls[0].call_id == "c1"
        with pytest.raises(RequestFailed) as refused:
            await bus.request(AskHistory(caller_number="0"), History)
        assert refused.value.problem.code == "not_found"
        with pytest.raises(RequestFailed) as broken:
            await bus.request(AskHistory(caller_number="1"), History)
        assert broken.value.problem.code == "internal"
        assert "19900000001" not in broken.value.problem.message
        subject = f"banxi.v1.{site}.cmd.records.history"
        for payload, kind in NONSENSE:
            headers = {"content-type": kind} if kind else None
            answer = await bus.client.request(subject, payload, headers=headers, timeout=5)
            assert b'"code":"invalid"' in answer.data, payload[:20]
    with pytest.raises(RequestFailed) as gone:
        await bus.request(AskHistory(caller_number="2"), History, timeout_s=1)
    assert gone.value.problem.code == "unavailable"


def test_a_wrong_setting_is_one_sentence_and_exit_code_2() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from services.common.settings import *; load(ListenerSettings)",
        ],
        env={"PATH": "/usr/bin:/bin", "BANXI_SITE": "two words"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("BANXI_SITE: ")
    assert done.stderr.count("\n") == 1


def test_an_open_address_needs_its_tokens() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from services.common.settings import *; load(ListenerSettings)",
        ],
        env={"PATH": "/usr/bin:/bin", "BANXI_HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "BANXI_DOOR_TOKEN" in done.stderr
