"""The timeline of a call without sound."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal
from tools.scripted_calls import Script, ScriptError, Step, read_script, timeline

pytestmark = pytest.mark.unit

SCRIPTS = sorted((Path(__file__).parents[2] / "data" / "scripts").glob("*.json"))


def played(path: Path) -> tuple[Script, list[Step]]:
    script = read_script(path)
    return script, timeline(script, "c1", "main")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_everything_that_is_said_comes_in_its_order(path: Path) -> None:
    script, steps = played(path)
    assert [step.due_ms for step in steps] == sorted(step.due_ms for step in steps)
    assert isinstance(steps[0].event, CallStarted)
    words = [s.event for s in steps if isinstance(s.event, TranscriptFinal)]
    assert sorted((w.at_ms, w.role, w.text) for w in words) == sorted(
        (round(line.start * 1000), line.role, line.text) for line in script.script
    )
    told = 0
    for step in steps:
        event = step.event
        if isinstance(event, CallProgressed):
            assert told < event.audio_ms <= step.due_ms
            told = event.audio_ms
        elif isinstance(event, SpeechStarted):
            assert told <= event.at_ms <= step.due_ms
        elif isinstance(event, SpeechEnded):
            assert told <= event.end_ms <= step.due_ms
    assert len({step.event.event_id for step in steps}) == len(steps)


def test_a_long_hold_is_told_through_and_talking_at_once_too() -> None:
    _, steps = played(next(path for path in SCRIPTS if path.stem == "hold_too_long"))
    told = [s.event.audio_ms for s in steps if isinstance(s.event, CallProgressed)]
    overlap = [ms for ms in told if 10_300 < ms <= 11_500]
    assert overlap[0] == 10_800
    hold = [ms for ms in told if 22_600 <= ms <= 52_100]
    assert hold[0] == 22_600
    assert hold[-1] == 52_100
    assert max(b - a for a, b in itertools.pairwise(hold)) <= 500


def test_speech_at_the_hang_up_ends_with_it_and_its_words_come_after() -> None:
    script = Script.model_validate(
        {
            "hangup": {"by": "caller", "at": 3.0},
            "script": [
                {"role": "agent", "start": 1, "end": 5, "text": "一"},
                {"role": "caller", "start": 4, "end": 6, "text": "二"},
            ],
        }
    )
    steps = timeline(script, "c1", "main")
    names = [step.event.event for step in steps if not isinstance(step.event, CallProgressed)]
    assert names == ["started", "speech.started", "speech.ended", "ended", "transcript.final"]
    ended = next(s.event for s in steps if isinstance(s.event, CallEnded))
    assert (ended.at_ms, ended.ended_by) == (3000, "caller")
    assert next(s.event.end_ms for s in steps if isinstance(s.event, SpeechEnded)) == 3000


def test_two_lines_of_one_side_close_together_stay_two() -> None:
    script = Script.model_validate(
        {
            "script": [
                {"role": "agent", "start": 1, "end": 2, "text": "一"},
                {"role": "agent", "start": 2.2, "end": 3, "text": "二"},
            ]
        }
    )
    spoken = [
        (step.event.event, step.event.at_ms)
        for step in timeline(script, "c1", "main")
        if isinstance(step.event, SpeechStarted | SpeechEnded)
    ]
    assert spoken == [
        ("speech.started", 1000),
        ("speech.ended", 1000),
        ("speech.started", 2200),
        ("speech.ended", 2200),
    ]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("nonsense", "is not JSON"),
        ({}, "script: "),
        ({"script": [{"role": "boss", "start": 0, "end": 1, "text": "x"}]}, r"script\.0\.role"),
        ({"script": [{"role": "agent", "start": 2, "end": 1, "text": "x"}]}, "end must come after"),
        (
            {
                "script": [
                    {"role": "agent", "start": 0, "end": 2, "text": "x"},
                    {"role": "agent", "start": 1, "end": 3, "text": "x"},
                ]
            },
            "two lines of the agent overlap at second 1",
        ),
    ],
)
def test_a_bad_script_names_file_and_field(tmp_path: Path, said: object, sentence: str) -> None:
    path = tmp_path / "talk.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    with pytest.raises(ScriptError, match=rf"talk\.json.*{sentence}"):
        read_script(path)
