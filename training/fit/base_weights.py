"""Which network is a base? transformers' BERT or ModernBERT, with pieces numbered as ours are.

RoBERTa and XLM-R are BERT whose position table has unused rows at its beginning.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModel, BertConfig
from transformers.models.auto.configuration_auto import AutoConfig

from training.base import unused_positions

Weights = dict[str, Tensor]
"""A network's state_dict."""

WORDS = {
    "bert": "embeddings.word_embeddings.weight",
    "modernbert": "embeddings.tok_embeddings.weight",
}
OTHER_TOKENS = ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
PLACES = "embeddings.position_embeddings.weight"
SHARED = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
    "hidden_dropout_prob", "attention_probs_dropout_prob", "type_vocab_size", "initializer_range",
    "layer_norm_eps", "pad_token_id",
)  # fmt: skip
"""What RoBERTa's configuration has of BERT's."""


def read_base(folder: Path, base_ids: list[int]) -> tuple[Any, Weights]:
    """transformers' configuration and weights, without a pooling layer.

    `base_ids`: for each of our pieces the base's id of the same piece, or -1.
    """
    config: Any = AutoConfig.from_pretrained(folder)
    options = {} if config.model_type == "modernbert" else {"add_pooling_layer": False}
    weights: Weights = AutoModel.from_pretrained(
        folder, dtype=torch.float32, **options
    ).state_dict()
    if "roberta" in config.model_type:
        weights[PLACES] = weights[PLACES][unused_positions(config.to_dict()) :]
        config = BertConfig(
            **{key: getattr(config, key) for key in SHARED},
            max_position_embeddings=len(weights[PLACES]),
        )
    words = WORDS[config.model_type]
    weights[words] = piece_embeddings(weights[words], base_ids)
    pads = config.pad_token_id
    config.vocab_size = len(base_ids)
    config.pad_token_id = base_ids.index(pads) if pads in base_ids else None
    for name in OTHER_TOKENS:
        if getattr(config, name, None) is not None:
            setattr(config, name, None)  # the base's ids, perhaps past our pieces
    return config, weights


def unit_embeddings(folder: Path) -> NDArray[np.float32]:
    """[pieces, width]: the directions of the base's word embeddings, from their mean."""
    weights = load_file(folder / "model.safetensors")
    (table,) = (value for name, value in weights.items() if name.endswith(tuple(WORDS.values())))
    directions = table.float() - table.float().mean(0)
    return np.asarray(torch.nn.functional.normalize(directions))


def piece_embeddings(table: Tensor, base_ids: list[int]) -> Tensor:
    """[pieces, width]: the rows of the base's `table`; of a piece that it lacks (-1) one drawn
    around their mean, as far from it as they are, so that no two such pieces look alike."""
    ids = torch.tensor(base_ids)
    is_new = ids < 0
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(int(is_new.sum()), table.shape[1], generator=generator)
    rows = table[ids.clamp(min=0)]
    rows[is_new] = table.mean(0) + table.std(0) * drawn
    return rows
