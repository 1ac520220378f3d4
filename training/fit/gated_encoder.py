"""ModernBERT and Ettin: gated feed-forward layers, rotated positions, windows of attention.

A layer norm stands before each part of a layer, not after it. The feed-forward part multiplies two
projections, one of them through the activation function (Shazeer, 2020: GeGLU; with SiLU, SwiGLU).
Queries and keys are rotated by their positions, and some layers see only a window. Its parts have
the names that BERT's have, so that both are cut alike.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)
from transformers.activations import ACT2FN

LOCAL = "sliding_attention"
ATTENTION_NORMS = "attention_norms"
"""Beside transformers' configuration: whether a layer norm stands before each layer's attention.
There is none before that of the base's first layer."""
NAMES = (
    (r"^layers\.", "encoder.layer."),
    (r"^embeddings\.tok_embeddings\.", "embeddings.word_embeddings."),
    (r"^embeddings\.norm\.", "embeddings.LayerNorm."),
    (r"^final_norm\.", "LayerNorm."),
    (r"\.attn_norm\.", ".attention.LayerNorm."),
    (r"\.attn\.Wo\.", ".attention.output.dense."),
    (r"\.mlp_norm\.", ".LayerNorm."),
    (r"\.mlp\.Wo\.", ".output.dense."),
)
JOINED = (
    (".attn.Wqkv.", tuple(f".attention.self.{name}." for name in ("query", "key", "value"))),
    (".mlp.Wi.", (".intermediate.dense.", ".intermediate.gate.")),
)


class GatedEncoder(nn.Module):
    """`config`: transformers' of ModernBERT, with ATTENTION_NORMS; `attention_heads` of each layer,
    as wide as the configuration's, or None for as many."""

    def __init__(self, config: Any, attention_heads: int | None = None) -> None:
        super().__init__()
        words = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.embeddings = nn.ModuleDict({"word_embeddings": words, "LayerNorm": _norm(config)})
        self.dropout = nn.Dropout(config.embedding_dropout)
        numbers = range(config.num_hidden_layers)
        layers = nn.ModuleList(GatedLayer(config, n, attention_heads) for n in numbers)
        self.encoder = nn.ModuleDict({"layer": layers})
        self.LayerNorm = _norm(config)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings["word_embeddings"]

    def embed(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        """int64 [batch, tokens] twice -> [batch, tokens, width]."""
        words = self.embeddings["word_embeddings"](input_ids)
        hidden: Tensor = self.dropout(self.embeddings["LayerNorm"](words))
        return hidden

    def layer_output(
        self, number: int, hidden: Tensor, visible: Tensor, positions: Tensor
    ) -> Tensor:
        """[batch, tokens, width] of a layer whose tokens attend where `visible` [batch, tokens,
        tokens], and within its window."""
        output: Tensor = self._layer(number)(hidden, positions, hidden, positions, visible)
        return output

    def last_output(
        self, states: Tensor, hidden: Tensor, visible: Tensor, positions: Tensor
    ) -> Tensor:
        """The last layer and the norm behind it, computed for `states` [batch, tasks, width] of
        control tokens alone, which attend where `visible` [batch, tasks, tokens]."""
        first = torch.zeros_like(states[:, :, 0], dtype=positions.dtype)
        output = self._layer(-1)(states, first, hidden, positions, visible)
        return self.final_states(output)

    def final_states(self, hidden: Tensor) -> Tensor:
        """What stands behind the last layer: a layer norm."""
        normed: Tensor = self.LayerNorm(hidden)
        return normed

    def _layer(self, number: int) -> nn.Module:
        layers = self.encoder["layer"]
        assert isinstance(layers, nn.ModuleList)
        return layers[number]


class GatedLayer(nn.Module):
    """Attention and a gated feed-forward part, each added to what it reads."""

    def __init__(self, config: Any, number: int, attention_heads: int | None) -> None:
        super().__init__()
        width, has_bias = config.hidden_size, config.attention_bias
        self.head_width = width // config.num_attention_heads
        inner = self.head_width * (attention_heads or config.num_attention_heads)
        names = ("query", "key", "value")
        is_normed = getattr(config, ATTENTION_NORMS)[number]
        self.attention = nn.ModuleDict(
            {
                "LayerNorm": _norm(config) if is_normed else nn.Identity(),
                "self": nn.ModuleDict({n: nn.Linear(width, inner, has_bias) for n in names}),
                "output": nn.ModuleDict({"dense": nn.Linear(inner, width, has_bias)}),
            }
        )
        self.LayerNorm = _norm(config)
        inner, has_bias = config.intermediate_size, config.mlp_bias
        both = ("dense", "gate")
        self.intermediate = nn.ModuleDict({n: nn.Linear(width, inner, has_bias) for n in both})
        self.output = nn.ModuleDict({"dense": nn.Linear(inner, width, has_bias)})
        self.activation = ACT2FN[config.hidden_activation]
        self.attention_dropout = nn.Dropout(config.attention_dropout)
        self.dropout = nn.Dropout(config.mlp_dropout)
        kind = config.layer_types[number]
        self.window: int | None = config.local_attention // 2 if kind == LOCAL else None
        theta = config.rope_parameters[kind]["rope_theta"]
        powers = torch.arange(0, self.head_width, 2, dtype=torch.float) / self.head_width
        self.frequencies: Tensor
        self.register_buffer("frequencies", theta**-powers, persistent=False)

    def forward(
        self,
        states: Tensor,
        own_positions: Tensor,
        hidden: Tensor,
        positions: Tensor,
        visible: Tensor,
    ) -> Tensor:
        """What becomes of `states` [batch, from, width] at `own_positions` [batch, from].

        They attend to `hidden` [batch, to, width] at `positions` [batch, to] where `visible`
        [batch, from, to].
        """
        if self.window is not None:
            distance = own_positions[:, :, None] - positions[:, None, :]
            visible = visible & (distance.abs() <= self.window)
        own, read = self.attention["LayerNorm"](states), self.attention["LayerNorm"](hidden)
        parts: Any = self.attention["self"]
        context = F.scaled_dot_product_attention(
            self._rotated(self._by_head(parts["query"](own)), own_positions),
            self._rotated(self._by_head(parts["key"](read)), positions),
            self._by_head(parts["value"](read)),
            attn_mask=visible[:, None],
            dropout_p=self.attention_dropout.p if self.training else 0.0,
        )
        written: Any = self.attention["output"]
        attended = written["dense"](context.transpose(1, 2).flatten(-2))
        states = states + self.attention_dropout(attended)
        normed = self.LayerNorm(states)
        gated = self.activation(self.intermediate["dense"](normed))
        gated = self.dropout(gated * self.intermediate["gate"](normed))
        output: Tensor = states + self.output["dense"](gated)
        return output

    def _by_head(self, projected: Tensor) -> Tensor:
        """[batch, tokens, heads * width of one] -> [batch, heads, tokens, width of one]."""
        return projected.view(*projected.shape[:-1], -1, self.head_width).transpose(1, 2)

    def _rotated(self, by_head: Tensor, positions: Tensor) -> Tensor:
        """Each head's halves turned against each other by angles that grow with the position."""
        angles = positions[:, None, :, None].float() * self.frequencies
        cosine, sine = angles.cos(), angles.sin()
        left, right = by_head.float().chunk(2, dim=-1)
        turned = (left * cosine - right * sine, right * cosine + left * sine)
        return torch.cat(turned, dim=-1).to(by_head.dtype)


def gated_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """transformers' weights of ModernBERT under the names of GatedEncoder, joined ones apart."""
    apart: dict[str, Tensor] = {}
    for name, value in weights.items():
        for joined, parts in JOINED:
            if joined in name:
                split = value.chunk(len(parts))
                apart |= {name.replace(joined, p): v for p, v in zip(parts, split, strict=True)}
                break
        else:
            apart[name] = value
    return {_own_name(name): value for name, value in apart.items()}


def _own_name(name: str) -> str:
    for pattern, own in NAMES:
        name = re.sub(pattern, own, name)
    return name


def _norm(config: Any) -> nn.LayerNorm:
    return nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=config.norm_bias)
