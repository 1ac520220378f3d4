"""BERT, layer by layer: what attends to what is said from outside, and of the last layer only what
is read is computed. RoBERTa and XLM-R are the same network, see training/fit/base_weights.py."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)
from transformers import BertModel


class BertEncoder(BertModel):  # type: ignore[no-untyped-call]
    """transformers' network without its own forward pass."""

    def set_attention_heads(self, count: int) -> None:
        """Give every layer's attention `count` heads, untrained; the layers take any number."""
        layers: Any = self.encoder.layer
        for layer in layers:
            attention = layer.attention.self
            width = layer.attention.output.dense.out_features
            inner = count * attention.attention_head_size
            for name in ("query", "key", "value"):
                setattr(attention, name, nn.Linear(width, inner))
            layer.attention.output.dense = nn.Linear(inner, width)

    def embed(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        """int64 [batch, tokens] twice -> [batch, tokens, width]."""
        hidden: Tensor = self.embeddings(
            input_ids=input_ids,
            position_ids=positions,
            token_type_ids=torch.zeros_like(input_ids),
        )
        return hidden

    def layer_output(
        self, number: int, hidden: Tensor, visible: Tensor, positions: Tensor
    ) -> Tensor:
        """[batch, tokens, width] of a layer whose tokens attend where `visible` [batch, tokens,
        tokens]."""
        output: Tensor = self.encoder.layer[number](hidden, visible[:, None])
        return output

    def last_output(
        self, states: Tensor, hidden: Tensor, visible: Tensor, positions: Tensor
    ) -> Tensor:
        """The last layer, computed for `states` [batch, tasks, width] alone.

        They attend to `hidden` [batch, tokens, width] where `visible` [batch, tasks, tokens]. Of
        the last layer nothing else is used, so this saves most of its work.
        """
        layer: Any = self.encoder.layer[-1]
        attention = layer.attention.self

        def by_head(projected: Tensor) -> Tensor:
            heads = projected.view(*projected.shape[:-1], -1, attention.attention_head_size)
            return heads.transpose(1, 2)

        context = F.scaled_dot_product_attention(
            by_head(attention.query(states)),
            by_head(attention.key(hidden)),
            by_head(attention.value(hidden)),
            attn_mask=visible[:, None],
            dropout_p=attention.dropout.p if attention.training else 0.0,
            scale=attention.scaling,
        )
        joined = layer.attention.output(context.transpose(1, 2).flatten(-2), states)
        output: Tensor = layer.feed_forward_chunk(joined)
        return output

    def final_states(self, hidden: Tensor) -> Tensor:
        """What stands behind the last layer: nothing."""
        return hidden
