"""Recordings a user may bring, good and bad."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from tools.recordings import RecordingError, read_recording
from tools.replay import replay

pytestmark = pytest.mark.unit

APP = typer.Typer()
APP.command()(replay)


def write(path: Path, *, rate: int = 8000, channels: int = 2, seconds: float = 1.0) -> Path:
    """A recording with 0.25 on the left channel and -0.25 on the others."""
    sound = np.full((int(rate * seconds), channels), -0.25)
    sound[:, 0] = 0.25
    soundfile.write(path, sound, rate, subtype="PCM_16")
    return path


def test_left_is_the_agent_unless_told_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path / "call.flac")
    assert read_recording(path).samples[0].tolist() == [8192, -8192]
    assert read_recording(path, left="caller").samples[0].tolist() == [-8192, 8192]


def test_a_wrong_rate_is_resampled_and_said(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "studio.wav", rate=44_100, seconds=2))
    assert (recording.rate, len(recording.samples)) == (16_000, 32_000)
    assert recording.note == "resampled from 44100 to 16000 Hz"
    assert read_recording(write(tmp_path / "low.wav", rate=11_025)).rate == 8000


def test_floating_point_samples_keep_their_size(tmp_path: Path) -> None:
    sound = np.full((800, 2), 0.5)
    soundfile.write(tmp_path / "float.wav", sound, 8000, subtype="FLOAT")
    assert read_recording(tmp_path / "float.wav").samples.max() == 16384


def test_what_is_known_of_the_call_lies_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav")
    beside = {"agent_id": "008", "hangup": {"by": "agent", "at": 0.5}, "events": []}
    path.with_suffix(".json").write_text(json.dumps(beside))
    known = read_recording(path).known
    assert (known.agent_id, known.hangup.by, known.hangup.at) == ("008", "agent", 0.5)
    path.with_suffix(".json").write_text('{"hangup": {"by": "nobody"}}')
    with pytest.raises(RecordingError, match=r"call\.json: hangup\.by"):
        read_recording(path)


@pytest.fixture
def bad_files(tmp_path: Path) -> dict[str, Path]:
    """Files that cannot be played, by what is wrong with them."""
    mono = write(tmp_path / "mono.wav", channels=1)
    cut = write(tmp_path / "cut.wav")
    cut.write_bytes(cut.read_bytes()[:9000])
    cut_flac = write(tmp_path / "cut.flac", seconds=20)
    cut_flac.write_bytes(cut_flac.read_bytes()[:-40])
    text = tmp_path / "text.wav"
    text.write_text("这不是录音" * 100)
    empty = tmp_path / "empty.wav"
    empty.touch()
    return {
        "one channel: a stereo recording is needed": mono,
        "cut.wav is cut off": cut,
        "cut.flac": cut_flac,
        "text.wav is no recording": text,
        "empty.wav is no recording": empty,
        "No such file": tmp_path / "missing.wav",
        "Is a directory": tmp_path,
    }


def test_a_bad_file_is_one_sentence_and_exit_code_2(bad_files: dict[str, Path]) -> None:
    for sentence, path in bad_files.items():
        result = CliRunner().invoke(APP, [str(path)])
        assert result.exit_code == 2, path
        assert sentence in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "name recordings to play"),
        (["--script", "missing.json"], 2, "missing.json: No such file"),
        (["{call}", "--hangup", "me@soon"], 2, "write it as caller@77.4"),
        (["{call}", "--call-id", "a.b"], 1, "call_id"),
        (["{call}", "--url", "ws://127.0.0.1:9/v1/audio"], 1, "start the system with `banxi up`"),
        (["--script", "{script}", "--nats", "nats://127.0.0.1:9"], 1, "cannot reach NATS"),
    ],
)
def test_wrong_options_and_absent_systems_are_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.setattr("tools.connection.PATIENCE_S", 0.3)
    call = str(write(tmp_path / "call.wav"))
    script = tmp_path / "script.json"
    script.write_text('{"script": []}')
    filled = [a.replace("{call}", call).replace("{script}", str(script)) for a in arguments]
    result = CliRunner().invoke(APP, filled)
    assert result.exit_code == code, result.output
    assert sentence in result.stderr.splitlines()[-1]
