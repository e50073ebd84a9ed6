"""Recorded calls: read a sound file, and what is known of the call from the `.json` beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import soxr
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.base import Id, Role
from contracts.events import why
from services.media.g711 import Samples

HungUpBy = Literal["agent", "caller", "transfer", "unknown"]
RATES = (8_000, 16_000)
UNKNOWN_LENGTH = 0x7FFF_0000
"""Data sizes from here on are what programs write that do not know the length beforehand."""


class RecordingError(RuntimeError):
    """A file cannot be played. The message is one sentence that says what to do."""


class Hangup(BaseModel):
    """Who ended the call, and when."""

    model_config = ConfigDict(frozen=True)

    by: HungUpBy = "unknown"
    at: float | None = Field(default=None, ge=0)
    """Second of the recording; None = its end."""


class Known(BaseModel):
    """What the `.json` beside a recording may say of the call; everything else in it is ignored."""

    model_config = ConfigDict(frozen=True)

    agent_id: Id | None = None
    caller_number: str | None = Field(default=None, max_length=32)
    region: str | None = None
    hangup: Hangup = Hangup()


@dataclass(frozen=True, slots=True)
class Recording:
    """A stereo call in memory."""

    name: str
    """The file's name without its ending."""
    samples: Samples
    """Shape (samples, 2): agent first, then caller."""
    rate: int
    """Samples a second: 8000 or 16000."""
    known: Known
    """What the file beside it says."""
    note: str = ""
    """What had to be changed, for people."""

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return len(self.samples) / self.rate


def read_recording(path: Path, *, left: Role = "agent") -> Recording:
    """Read a stereo recording. Raises RecordingError."""
    sound, rate = _read_sound(path)
    if sound.shape[1] != 2:
        channels = "one channel" if sound.shape[1] == 1 else f"{sound.shape[1]} channels"
        raise RecordingError(
            f"{path} has {channels}: a stereo recording is needed, "
            "the agent on one side and the caller on the other"
        )
    if not len(sound):
        raise RecordingError(f"{path} holds no sound")
    note = ""
    if rate not in RATES:
        wanted = 16_000 if rate > 16_000 else 8_000
        sound = soxr.resample(sound, rate, wanted)
        note = f"resampled from {rate} to {wanted} Hz"
        rate = wanted
    samples = np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)
    if left == "caller":
        samples = samples[:, ::-1]
    return Recording(path.stem, samples, rate, _read_known(path.with_suffix(".json")), note)


def _read_sound(path: Path) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], int]:
    """Samples from -1 to 1, shape (samples, channels), and the rate."""
    try:
        _check_whole(path)
        with soundfile.SoundFile(path) as file:
            sound = file.read(dtype="float32", always_2d=True)
            if len(sound) < file.frames:
                raise RecordingError(f"{path} is cut off: copy it again from where it came from")
            return sound, int(file.samplerate)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    except soundfile.LibsndfileError:
        raise RecordingError(
            f"{path} is no recording that can be read (WAV, FLAC, OGG), or it is damaged"
        ) from None


def _check_whole(path: Path) -> None:
    """A WAV says how long it is; the library plays what is there and keeps quiet about the rest."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or file.read(8)[4:] != b"WAVE":
            return
        size = path.stat().st_size
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                if file.tell() + length > size and length < UNKNOWN_LENGTH:
                    break
                return
            file.seek(length + length % 2, 1)
    raise RecordingError(f"{path} is cut off: copy it again from where it came from")


def _read_known(path: Path) -> Known:
    if not path.exists():
        return Known()
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8"))
        return Known.model_validate(said)
    except ValidationError as error:
        raise RecordingError(f"{path}: {why(error)}") from None
    except (OSError, ValueError):
        raise RecordingError(f"{path} is not JSON: mend it or take it away") from None
