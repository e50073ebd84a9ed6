"""Rules in operation: versions that tell the very rules, and other rules within a call."""

from __future__ import annotations

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from contracts.warning import WarningRaised
from services.common.calls import Happening
from services.conduct.books import BOOKS, DATA, Rules, load_phrases, load_rules, load_waiting
from services.conduct.phrases.early import Early
from services.conduct.reload import Judge
from services.conduct.settings import ConductSettings
from tests.unit.conduct.stories import OPENING, final, only, progress
from tools.rules import app

pytestmark = pytest.mark.unit

BAD = "这我怎么知道"


def own_phrases(directory: Path, old: str, new: str) -> Path:
    """The phrases with something changed."""
    text = (DATA / "phrases.yaml").read_text(encoding="utf-8")
    assert old in text
    path = directory / "own.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_one_version_of_two_contents_is_told_apart(tmp_path: Path) -> None:
    ours = load_phrases().version
    commented = load_phrases(own_phrases(tmp_path, "\nrules:", "\n# a remark\nrules:")).version
    other = load_phrases(own_phrases(tmp_path, "canonical: 急什么", "canonical: 急个什么")).version
    assert ours == commented
    assert other != ours
    assert other.split("+")[0] == ours.split("+")[0]
    assert len(other.split("+")[1]) == 8


def test_a_sites_own_times_are_part_of_the_version() -> None:
    ours = load_waiting()
    same = load_waiting(None, {"silence_alarm_s": ours.times.silence_alarm_s})
    assert same.version == ours.version
    assert load_waiting(None, {"silence_alarm_s": 9.5}).version != ours.version


def test_every_book_can_be_loaded_chosen_checked_and_named() -> None:
    books = {field.name for field in fields(Rules)}
    assert set(BOOKS) == books
    assert {model.name for model in load_rules().models} == books
    assert books <= set(ConductSettings.model_fields)
    commands: Any = typer.main.get_command(app)
    check = commands.commands["check"]
    assert {option.name for option in check.params} - {"help"} == books


async def test_other_rules_hold_from_the_next_event_on_in_the_same_call(tmp_path: Path) -> None:
    own = own_phrases(tmp_path, "canonical: 这我怎么知道", "canonical: 这我哪儿知道")
    before, after = load_rules(), load_rules(ConductSettings(phrases=own, silence_alarm_s=20))
    judge = Judge(before, None, Early(before.detector, logging.getLogger("banxi.test")))
    call, said = judge.open("c", "s"), []
    story: list[Happening] = [
        final("agent", 500, 4_000, OPENING),
        final("caller", 4_500, 8_000, "我想问一下怎么办"),
        final("agent", 9_000, 10_000, BAD),
        final("agent", 11_000, 12_000, BAD),
        progress(21_000),
        progress(33_000),
    ]
    for happening in story:
        if happening.at_ms == 11_000:
            judge.use(after)
        outcome = await judge.handle(call, happening)
        call = outcome.state
        said += [*outcome.events, *(await outcome.later if outcome.later else ())]
    raised = [e for e in said if isinstance(e, WarningRaised) and e.kind == "forbidden_phrase"]
    assert [(e.phrase, e.by.version) for e in raised] == [
        ("这我怎么知道", f"phrases-{before.phrases.version}"),
        ("这我哪儿知道", f"phrases-{after.phrases.version}"),
    ]
    silence = only(said, "silence")
    assert silence.due_ms == 32_000
    assert silence.by.version == f"waiting-{after.waiting.version}"


def check(*options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *options])
    return result.exit_code, result.stdout, result.stderr


def test_checking_the_files(tmp_path: Path) -> None:
    code, out, err = check()
    assert (code, err) == (0, "")
    assert f"phrases {load_phrases().version}" in out
    wrong = own_phrases(tmp_path, "canonical: 急什么", "canonical: ''")
    code, out, err = check("--phrases", str(wrong), "--waiting", str(tmp_path))
    assert (code, out) == (1, "")
    phrases, waiting = err.splitlines()
    assert f"{wrong}, line " in phrases
    assert "entry whats-the-hurry, canonical" in phrases
    assert waiting == f"{tmp_path}: is no file; name the file itself"


def test_the_files_of_the_settings_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = own_phrases(tmp_path, "canonical: 急什么", "canonical: ''")
    monkeypatch.setenv("BANXI_CONDUCT__PHRASES", str(wrong))
    code, _, err = check()
    assert (code, f"{wrong}, line " in err) == (1, True)
    monkeypatch.setenv("BANXI_CONDUCT__PHRASES", str(tmp_path / "none.yaml"))
    code, _, err = check()
    assert code == 2
    assert err.startswith("BANXI_CONDUCT__PHRASES: there is no ")
