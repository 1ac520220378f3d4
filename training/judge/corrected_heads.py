"""What do the heads become before export? Biases, rows and offsets, by the held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.fit.batches import examples, network_logits, targets
from training.fit.network import ControlTokenClassifier, load_network
from training.judge.calibrate import fit_biases
from training.judge.catch_all import fit_row, head_states, hidden_states
from training.judge.offsets import Limits, Offset, catch_all_labels, fit_offsets, label_limits
from training.run import Run

Floats = NDArray[np.float64]

MOST_ROWS = 10_000
"""Training rows that a row of a head is fitted to."""


def corrected_network(
    run: Run, stage: str, raised: bool = True
) -> tuple[ControlTokenClassifier, dict[str, Any]]:
    """The network that `stage` trained, its single-label heads corrected, and their offsets.

    Heads get the biases that validation asks for, and where `raised` is true also what finds the
    labels that are to be found: {task: {label: fields of Offset}}. Without validation rows a head
    stays as it is, and its offsets say so.
    """
    network = load_network(run.work / stage)
    rows = run.table.split("validation")
    encoded, truth = examples(run, rows), targets(run.table, rows)
    logits = network_logits(network, encoded)
    facts: dict[str, Any] = {}
    for place, head in enumerate(run.heads):
        target = head.of(truth).astype(np.float64)
        labelled = np.flatnonzero(~np.isnan(target[:, 0]))
        if head.kind == "multi":
            continue
        target, layer = target[labelled], network.task_heads[place]
        assert isinstance(layer, torch.nn.Linear)
        before = head.of(logits)[labelled].astype(np.float64)
        if len(labelled):
            biases = fit_biases(before, target)
            _add_to_bias(layer, biases)
            before += biases
        if not raised:
            continue
        limits, refit = _limits(run, place, target)
        if not limits:
            continue
        after = before.copy()
        if refit:
            _refit_rows(run, network, place, refit)
            validation = head_states(network, [encoded[row] for row in labelled], place)
            weight, bias = _double(layer)
            after = validation @ weight.T + bias
        offsets = fit_offsets(after, target, head.labels, limits, before)
        _add_to_bias(layer, np.array([_value(offsets.get(label)) for label in head.labels]))
        facts[head.name] = {label: asdict(offset) for label, offset in offsets.items()}
    return network, facts


def _limits(run: Run, place: int, target: Floats) -> tuple[dict[str, Limits], list[str]]:
    """The limits of each label to be found, and the labels whose rows of the head are refitted;
    `target` [rows, labels] of validation."""
    task = run.recipe.tasks[place]
    head = run.heads[task.name]
    catch_all = catch_all_labels(task, head.labels, run.table.train_rows(task.name))
    limits = label_limits(task, head.labels, catch_all)
    rest = {label: len(target) - target[:, head.labels.index(label)].sum() for label in limits}
    refit = [label for label in catch_all if rest[label] >= max(limits[label].cost_rows, 1)]
    return limits, refit


@torch.no_grad()
def _refit_rows(
    run: Run, network: ControlTokenClassifier, place: int, catch_all: Sequence[str]
) -> None:
    """Fit the rows of the labels `catch_all` in one task's head anew, in place."""
    rows = [row for row in run.table.split("train") if row.targets[place]]
    chosen = np.random.default_rng(1).permutation(len(rows))[:MOST_ROWS]
    rows = [rows[number] for number in chosen]
    head, layer = run.heads[run.recipe.tasks[place].name], network.task_heads[place]
    assert isinstance(layer, torch.nn.Linear)
    labels = head.of(targets(run.table, rows)).argmax(1)
    states = hidden_states(network, examples(run, rows), place)
    for label in catch_all:
        column = head.labels.index(label)
        weight, bias = fit_row(states, labels, *_double(layer), column)
        layer.weight[column] = torch.from_numpy(weight)
        layer.bias[column] = bias


def _double(layer: torch.nn.Linear) -> tuple[Floats, Floats]:
    return layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()


def _value(offset: Offset | None) -> float:
    return offset.value if offset else 0.0


@torch.no_grad()
def _add_to_bias(layer: torch.nn.Linear, shift: Floats) -> None:
    layer.bias.copy_(layer.bias + torch.from_numpy(shift))
