"""What is minimised? One loss per head and row; each head averages over its own labelled rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from model.heads import Heads

Batch = dict[str, Tensor]

FROM_TEACHER = ("teacher_logits", "teacher_states")
STATES_WEIGHT = 20.0
"""Of one minus the cosine of two states, beside a cross-entropy."""


@dataclass(frozen=True)
class Objective:
    """Cross-entropy per single-label head, summed binary cross-entropy per multi-label head.

    With `teacher_logits` in the batch each head has a second term, towards the teacher's softened
    distribution, over all rows: `alpha` weighs it against the labels' term. With `teacher_states`
    it has a third, towards the direction of the state that the teacher's head reads.
    """

    heads: Heads
    temperature: float = 1.0
    alpha: float = 0.0

    def counted(self, batch: Batch) -> Tensor:
        """bool [batch, terms]: which rows each term of the loss averages over."""
        labels = batch["labels"]
        labelled = ~torch.stack([head.of(labels)[:, 0].isnan() for head in self.heads], 1)
        of_all = [torch.ones_like(labelled) for name in FROM_TEACHER if name in batch]
        return torch.cat([labelled, *of_all], dim=1)

    def loss(
        self, logits: Tensor, batch: Batch, counts: Tensor, states: Tensor | None = None
    ) -> Tensor:
        """Sum of each term over its rows, over `counts` [terms], averaged over the heads.

        `counts` may span several batches: losses of the parts then add up to that of the whole.
        `states` [batch, tasks, width] is needed where the batch has the teacher's.
        """
        terms = torch.stack(list(self._terms(logits, batch)), dim=1)
        if states is not None:
            closeness = F.cosine_similarity(
                states, batch["teacher_states"].to(states.dtype), dim=-1
            )
            terms = torch.cat([terms, STATES_WEIGHT * (1 - closeness)], dim=1)
        terms = torch.where(self.counted(batch), terms, 0.0)
        return (terms.sum(0) / counts.clamp(min=1)).sum() / len(self.heads)

    def _terms(self, logits: Tensor, batch: Batch) -> Iterator[Tensor]:
        labels, teacher = batch["labels"], batch.get("teacher_logits")
        label_weight = 1.0 if teacher is None else 1 - self.alpha
        for head in self.heads:
            target = head.of(labels).nan_to_num()
            yield label_weight * _cross_entropy(head.kind, head.of(logits), target)
        if teacher is None:
            return
        for head in self.heads:
            soft = head.of(teacher) / self.temperature
            probability = soft.softmax(-1) if head.kind == "single" else soft.sigmoid()
            error = _cross_entropy(head.kind, head.of(logits) / self.temperature, probability)
            # temperature ** 2 keeps the gradient's size (Hinton, Vinyals and Dean, 2015)
            yield self.alpha * self.temperature**2 * error


def _cross_entropy(kind: str, logits: Tensor, target: Tensor) -> Tensor:
    """[batch]: the cross-entropy of each row against a target distribution or set."""
    if kind == "single":
        return -(target * logits.log_softmax(-1)).sum(-1)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)
