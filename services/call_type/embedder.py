"""The examples' vectors: from the embedding service, kept on disk."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contracts.requests import Embedding
from services.common.bus import Bus
from services.common.vectors import NoAnswer, ask_vectors

_CHUNK = 16
_AGAIN_S = 1.0
_STARTING_S = 30.0
"""Patience with a service that is still loading its model, seconds."""

Rows = npt.NDArray[np.float32]


async def embed_examples(
    bus: Bus, texts: Sequence[str], folder: Path, log: logging.Logger
) -> tuple[str, Rows]:
    """Model and one row a text: from the disk where the same model embedded the same texts before,
    else from the embedding service, for which this waits as long as it takes."""
    first = await _ask_patiently(bus, texts[:1], log)
    digest = hashlib.sha256("\0".join((first.model, *texts)).encode()).hexdigest()[:16]
    file = folder / f"call_type-{digest}.npy"
    kept = await asyncio.to_thread(_read, file, (len(texts), first.dimension))
    if kept is not None:
        return first.model, kept
    rows: list[tuple[float, ...]] = []
    while len(rows) < len(texts):
        reply = await _ask_patiently(bus, texts[len(rows) : len(rows) + _CHUNK], log)
        if reply.model != first.model:
            # It was started again with another model in between.
            return await embed_examples(bus, texts, folder, log)
        rows += reply.vectors
    made = np.asarray(rows, dtype=np.float32)
    try:
        await asyncio.to_thread(_write, file, made)
    except OSError as error:
        log.warning("the examples' vectors cannot be kept: %s", error.strerror)
    return first.model, made


async def _ask_patiently(bus: Bus, texts: Sequence[str], log: logging.Logger) -> Embedding:
    told = False
    while True:
        try:
            return await ask_vectors(bus, texts, _STARTING_S)
        except NoAnswer as problem:
            if not told:
                log.info("waiting for the embedding service: %s", problem)
                told = True
            await asyncio.sleep(_AGAIN_S)


def _read(file: Path, shape: tuple[int, int]) -> Rows | None:
    try:
        rows = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None  # not there, or cut short: it is made anew
    fits = rows.shape == shape and rows.dtype == np.float32 and bool(np.isfinite(rows).all())
    return rows if fits else None


def _write(file: Path, rows: Rows) -> None:
    """Keep them, in place of those of other models and texts. Never half: renamed when whole."""
    for old in file.parent.glob("call_type-*.npy"):
        old.unlink(missing_ok=True)
    partial = file.with_suffix(".part")
    with partial.open("wb") as out:
        np.save(out, rows)
    os.replace(partial, file)
