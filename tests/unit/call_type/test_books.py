"""What the service reads at its start: the packaged files fit each other and their exemplars, and
those of a site are used in their place."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from services.call_type import books
from services.call_type.settings import CallTypeSettings
from services.call_type.situations.recogniser import PACKAGED as SITUATIONS
from services.call_type.tables import PACKAGED, load_tables
from services.call_type.types.model import load_model
from services.common.datafiles import DataFileError
from services.common.failure import CannotStart
from tests.unit.call_type.scripted import model
from tools.train.dialogues import digest, read_calls

pytestmark = pytest.mark.unit


def test_the_model_that_ships_was_learned_from_the_calls_that_ship() -> None:
    about = load_model().about
    calls = read_calls(PACKAGED / "exemplars")
    assert (about.version, about.calls) == (digest(calls), len(calls)), (
        "run `banxi train call-type`"
    )
    assert about.figures["macro_f1_accept"] >= 0.85
    assert about.figures["first_utterance_accuracy_accept"] >= 0.55
    assert about.figures["turns_found"] >= 0.75
    assert about.figures["false_turns_per_10_calls"] <= 1
    assert about.figures["intake_accuracy"] >= 0.9
    assert about.figures["ece"] <= 0.08


def test_it_all_fits() -> None:
    found = books.load()
    about = found.assessor.model.about
    assert found.embedding == about.embedding
    assert found.tables.digest == load_tables().digest
    assert found.moments.version.endswith(f" {npz_version(SITUATIONS)}")


def npz_version(path: Path) -> str:
    with np.load(path) as parts:
        about = parts["about"].tobytes().decode()
    return str(about.split('"version":"')[1].split('"')[0])


def test_a_site_s_own_files_are_used(tmp_path: Path) -> None:
    own = tmp_path / "own.npz"
    embedding = books.load().embedding
    model(embedding, "5e1f0001").save(own)
    folder = tmp_path / "tables"
    folder.mkdir()
    for file in PACKAGED.glob("*.yaml"):
        shutil.copy(file, folder)
    signals = folder / "signals.yaml"
    signals.write_text(signals.read_text(encoding="utf-8") + "\n# ours\n", encoding="utf-8")
    found = books.load(CallTypeSettings(types=own, tables=folder))
    assert found.assessor.model.about.version == "5e1f0001"
    assert found.tables.digest == load_tables(folder).digest != load_tables().digest
    (folder / "prosody.yaml").unlink()
    with pytest.raises(DataFileError, match=r"prosody\.yaml"):
        books.load(CallTypeSettings(tables=folder))


def test_types_and_situations_of_different_embedding_models_cannot_start(tmp_path: Path) -> None:
    other = tmp_path / "types.npz"
    model("another model 2").save(other)
    with pytest.raises(CannotStart, match="different embedding models") as stopped:
        books.load(CallTypeSettings(types=other))
    assert "another model 2" in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_a_model_that_is_not_there_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="banxi train call-type"):
        books.load(CallTypeSettings(types=tmp_path / "none.npz"))
