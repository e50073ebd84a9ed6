"""What `banxi status` shows of a process."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from contracts.requests import Description
from tools.up import figure_lines, status_table

pytestmark = pytest.mark.unit


def shown(**about: object) -> str:
    said = {"service": "knowledge", "version": "1", "pid": 7, "uptime_s": 1, "rss_mb": 1} | about
    out = io.StringIO()
    described = {"knowledge": [Description.model_validate(said)], "desk": []}
    console = Console(file=out, width=200)
    console.print(status_table(described))
    for line in figure_lines(described):
        console.print(line)
    return out.getvalue()


def test_ready_and_lacking_something_both_stand_there() -> None:
    said = shown(ready=True, detail="12 texts to go")
    assert ("ready" in said, "12 texts to go" in said, "not running" in said) == (True, True, True)
    said = shown(ready=False, detail="cannot reach NATS")
    assert ("ready" in said, "cannot reach NATS" in said) == (False, True)


def test_figures_that_tell_nothing_new_are_left_out() -> None:
    figures = {
        "ready": 1,
        "lacking": 0,
        "queue_limit{partials}": 256,
        "queue_depth{partials}": 3,
        "requests{describe,ok}": 9,
        "requests{search,ok}": 0,
        "partitions{held}": 2,
        "partitions{standby}": 14,
        "consumer_lag{knowledge}": 5,
        "entries": 40,
    }
    said = shown(ready=True, figures=figures, partitions=(2, 7))
    assert "entries=40" in said
    assert "queue_depth{partials}=3" in said
    assert "2 7" in said
    assert "14 standby" in said
    for left_out in ("queue_limit", "lacking", "describe", "search", "consumer_lag", "ready="):
        assert left_out not in said
