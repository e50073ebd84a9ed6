"""The network of the built-in model (BERT with mean pooling) in torch, for what its engine cannot
do: learn, and run with what was learned added to its upper layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from services.embedding.weights import Weights


class Layer(nn.Module):
    """One layer: attention, then the feed-forward part, each with its norm behind it."""

    MATRICES = ("q", "k", "v", "ao", "fi", "fo")
    NORMS = ("aln", "oln")

    def __init__(self, weights: Weights, number: int) -> None:
        super().__init__()
        shape = weights.shape
        self._heads = shape.heads
        place = f"l{number}."

        def linear(name: str, inputs: int) -> nn.Linear:
            matrix = weights.matrix(f"{place}{name}.w", inputs)
            made = nn.Linear(inputs, len(matrix))
            made.weight.data = torch.from_numpy(matrix)
            made.bias.data = torch.from_numpy(weights.floats(f"{place}{name}.b").copy())
            return made

        self.q, self.k, self.v, self.ao = (
            linear(name, shape.width) for name in ("q", "k", "v", "ao")
        )
        self.fi, self.fo = linear("fi", shape.width), linear("fo", shape.inner)
        self.aln, self.oln = norm(weights, f"{place}aln"), norm(weights, f"{place}oln")

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (texts, pieces, width), mask (texts, pieces) true where there is a piece."""
        texts, pieces, width = states.shape

        def parted(made: Tensor) -> Tensor:
            return made.view(texts, pieces, self._heads, width // self._heads).transpose(1, 2)

        seen = nn.functional.scaled_dot_product_attention(
            parted(self.q(states)),
            parted(self.k(states)),
            parted(self.v(states)),
            attn_mask=mask[:, None, None, :],
        )
        states = self.aln(states + self.ao(seen.transpose(1, 2).reshape(texts, pieces, width)))
        fed: Tensor = self.oln(states + self.fo(nn.functional.gelu(self.fi(states))))
        return fed


class Entrance(nn.Module):
    """Pieces → states: the piece, its place, a norm."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = weights
        width = weights.shape.width
        self._places = torch.from_numpy(weights.floats("emb.pos").reshape(-1, width).copy())
        kind = torch.from_numpy(weights.floats("emb.type").reshape(-1, width)[0].copy())
        self._places = self._places + kind
        self.norm = norm(weights, "emb.ln")

    @torch.inference_mode()
    def forward(self, cut: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """States and mask of texts cut into pieces; shorter ones are filled up."""
        longest = max(map(len, cut))
        numbers = np.zeros((len(cut), longest), dtype=np.int64)
        mask = np.zeros(numbers.shape, dtype=bool)
        for row, pieces in enumerate(cut):
            numbers[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = True
        width = self._weights.shape.width
        words = self._weights.matrix("emb.word", width, numbers.ravel())
        states = torch.from_numpy(words.reshape(*numbers.shape, width)) + self._places[:longest]
        return self.norm(states), torch.from_numpy(mask)


def norm(weights: Weights, name: str) -> nn.LayerNorm:
    """A norm with the file's numbers."""
    made = nn.LayerNorm(weights.shape.width, eps=weights.shape.eps)
    made.weight.data = torch.from_numpy(weights.floats(f"{name}.w").copy())
    made.bias.data = torch.from_numpy(weights.floats(f"{name}.b").copy())
    return made


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """The mean of a text's states, at unit length."""
    shown = mask[..., None].to(states.dtype)
    return nn.functional.normalize((states * shown).sum(1) / shown.sum(1), dim=-1)
