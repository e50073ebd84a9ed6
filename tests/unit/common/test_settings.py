"""A name that is no setting of anybody is refused, by every service; others' settings are not."""

from __future__ import annotations

import importlib

import pytest

from services.common.settings import load
from tools.system import SERVICES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("service", SERVICES)
def test_a_typing_error_is_refused_and_the_nearest_told(
    service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = importlib.import_module(f"services.{service}.settings").Settings
    monkeypatch.setenv("BANXI_ASR__THREADS", "2")
    load(settings)
    monkeypatch.setenv("BANXI_ASR__VOSK_MODLE", "/models/cn")
    with pytest.raises(SystemExit) as refused:
        load(settings)
    said = capsys.readouterr().err
    assert refused.value.code == 2
    assert said.startswith("BANXI_ASR__VOSK_MODLE: ")
    assert "BANXI_ASR__VOSK_MODEL " in said
    assert said.count("\n") == 1


def test_an_open_health_page_needs_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = importlib.import_module("services.records.settings").Settings
    monkeypatch.setenv("BANXI_HEALTH_PORT", "7790")
    monkeypatch.setenv("BANXI_HEALTH_HOST", "0.0.0.0")
    with pytest.raises(SystemExit):
        load(settings)
    assert "BANXI_NATS_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("BANXI_NATS_TOKEN", "sesame")
    assert load(settings).health_port == 7790
