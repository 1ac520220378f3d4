"""How does one encoder answer several questions? A control token per task selects its head.

A row is `[CLS] text [SEP]`, the control ids of the tasks asked for, padding. Everything else is
derived from `input_ids` inside the network, and so inside the exported graph:

    is it a control token?   ids at or past `first_control_id`, one contiguous range
    its position             text counts from 0; all control tokens share one position
    what it attends to       text sees text; a control token sees the text and itself
    its logits               the hidden state where the id equals the task's control id; of the
                             last layer nothing else is computed
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.models.auto.configuration_auto import AutoConfig

from training.fit.base_weights import PLACES, WORDS, read_base
from training.fit.bert_encoder import BertEncoder
from training.fit.gated_encoder import ATTENTION_NORMS, GatedEncoder, gated_weights

WEIGHTS, SHAPE = "model.safetensors", "network.json"
GATED = "modernbert"
"""The family whose encoder is not BERT's."""
OWN_SHARE = 0.5
"""Of a control token's state beside the mean of the text's; an untrained one knows less."""


@dataclass(frozen=True)
class Shape:
    """All that is needed to build the network before its weights are loaded."""

    encoder: dict[str, Any]
    """The transformers configuration of the encoder."""
    first_control_id: int
    max_tokens: int
    head_sizes: tuple[int, ...]
    attention: str = "independent"
    attention_heads: int | None = None
    """Attention heads of each layer, as wide as the configuration's; None: as many, too."""
    pooled: bool = False
    """Heads read half of the control token's state plus the mean of the text's. That costs the last
    layer of the text, and is for teachers, which start from what the base knows of sentences, and
    for students of few rows."""


class ControlTokenClassifier(nn.Module):
    """Ids in, the logits of all tasks side by side out."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.piece_dropout = 0.0
        """Share of a text's pieces that no other position sees while the network is trained."""
        config = AutoConfig.for_model(**shape.encoder)
        self.encoder: Any = _encoder(config, shape.attention_heads)
        self.task_heads = nn.ModuleList(nn.Linear(config.hidden_size, n) for n in shape.head_sizes)
        first = shape.first_control_id
        control_ids = torch.arange(first, first + len(shape.head_sizes))
        self.control_ids: Tensor
        self.register_buffer("control_ids", control_ids, persistent=False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, with_states: bool = False
    ) -> Tensor:
        """int64 [batch, tokens] twice -> float logits [batch, sum of head sizes].

        The columns of tasks whose control id is not in the row mean nothing. `with_states`: the
        states that the heads read follow the logits, [batch, sum of head sizes + tasks * width].
        """
        states = self.states(input_ids, attention_mask)
        parts = [head(states[:, i]) for i, head in enumerate(self.task_heads)]
        return torch.cat([*parts, states.flatten(1)] if with_states else parts, dim=-1)

    def states(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """float [batch, tasks, width]: what each task's head reads."""
        positions = self.positions(input_ids)
        hidden = self.encoder.embed(input_ids, positions)
        visible = self.visible(input_ids, attention_mask)
        *layers, last = range(self.shape.encoder["num_hidden_layers"])
        for layer in layers:
            hidden = self.encoder.layer_output(layer, hidden, visible, positions)
        control = input_ids[:, None, :] == self.control_ids[None, :, None]  # [batch, tasks, tokens]
        if self.shape.pooled:
            hidden = self.encoder.layer_output(last, hidden, visible, positions)
            hidden = self.encoder.final_states(hidden)
            own: Tensor = control.to(hidden.dtype) @ hidden
            return OWN_SHARE * own + self.text_mean(hidden, input_ids, visible)
        states = control.to(hidden.dtype) @ hidden
        task_visible = self.task_visible(visible, control)
        last_states: Tensor = self.encoder.last_output(states, hidden, task_visible, positions)
        return last_states

    def text_mean(self, hidden: Tensor, input_ids: Tensor, visible: Tensor) -> Tensor:
        """[batch, 1, width]: the mean of `hidden` over the positions of the text."""
        is_text = (input_ids < self.shape.first_control_id) & visible.any(1)
        weights = is_text.to(hidden.dtype)[:, None]
        mean: Tensor = weights @ hidden / weights.sum(-1, keepdim=True)
        return mean

    def task_visible(self, visible: Tensor, control: Tensor) -> Tensor:
        """bool [batch, tasks, tokens]: what each task's control token attends to.

        A task whose control token is not in the row reads [CLS], since it must read something.
        """
        attended = (control.to(torch.float32) @ visible.to(torch.float32)) > 0
        is_first = torch.arange(visible.shape[-1], device=visible.device) == 0
        return attended | is_first

    def positions(self, input_ids: Tensor) -> Tensor:
        """int64 [batch, tokens]: rows of the position table, or what tokens are rotated by."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        places = places.clamp(max=self.shape.max_tokens).expand_as(input_ids)
        is_control = input_ids >= self.shape.first_control_id
        return torch.where(is_control, self.control_position, places)

    @property
    def control_position(self) -> int:
        """Of all control tokens: a row of their own, or that of [CLS], which they start as."""
        return 0 if self.shape.encoder["model_type"] == GATED else self.shape.max_tokens

    def visible(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """bool [batch, from, to]: which positions attend to which."""
        is_token = attention_mask.bool()
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        is_self = place[None, :, None] == place[None, None, :]
        to_all = (input_ids < self.shape.first_control_id) & is_token  # the text
        if self.training:
            to_all = to_all & (torch.rand(to_all.shape, device=to_all.device) >= self.piece_dropout)
        if self.shape.attention == "joint":
            to_all = to_all | ((input_ids >= self.shape.first_control_id) & is_token)
        return to_all[:, None, :] | (is_self & is_token[:, None, :])


def _encoder(config: Any, attention_heads: int | None) -> nn.Module:
    """An untrained encoder of the configuration's family."""
    if config.model_type == GATED:
        return GatedEncoder(config, attention_heads)
    encoder: BertEncoder = BertEncoder._from_config(  # type: ignore[no-untyped-call]
        config, add_pooling_layer=False, attn_implementation="sdpa"
    )
    if attention_heads is not None:
        encoder.set_attention_heads(attention_heads)
    return encoder


def from_base(
    folder: Path,
    base_ids: list[int],
    cls_id: int,
    max_tokens: int,
    head_sizes: tuple[int, ...],
    attention: str = "independent",
    pooled: bool = False,
) -> ControlTokenClassifier:
    """The network with the base's weights: its pieces re-numbered, its position table cut.

    `base_ids`: for each id of the trimmed vocabulary, the base's id of the same piece, or -1.
    `cls_id`: the trimmed id of [CLS], whose embedding every control token starts from.
    """
    pieces, tasks = len(base_ids), len(head_sizes)
    base_config, base = read_base(folder, base_ids)
    config: dict[str, Any] = base_config.to_dict()
    del config["id2label"], config["label2id"]  # of a head that the base no longer has
    config |= {"vocab_size": pieces + tasks, "max_position_embeddings": max_tokens + 1}
    if base_config.model_type == GATED:
        base = gated_weights(base)
        config[ATTENTION_NORMS] = [layer > 0 for layer in range(config["num_hidden_layers"])]
    shape = Shape(config, pieces, max_tokens, head_sizes, attention, pooled=pooled)
    network = ControlTokenClassifier(shape)
    base[WORDS["bert"]] = torch.cat(
        [base[WORDS["bert"]], base[WORDS["bert"]][[cls_id]].repeat(tasks, 1)]
    )
    if PLACES in base:
        base[PLACES] = torch.cat([base[PLACES][:max_tokens], base[PLACES][:1]])
    network.encoder.load_state_dict(base)
    return network


def save_network(network: ControlTokenClassifier, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), folder / WEIGHTS)
    (folder / SHAPE).write_text(json.dumps(asdict(network.shape), indent=1))


def load_network(folder: Path) -> ControlTokenClassifier:
    fields = json.loads((folder / SHAPE).read_text())
    network = ControlTokenClassifier(Shape(**{**fields, "head_sizes": tuple(fields["head_sizes"])}))
    network.load_state_dict(load_file(folder / WEIGHTS))
    return network.eval()
