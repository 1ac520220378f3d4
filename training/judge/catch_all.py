"""What lies between the labels? The row of a head that holds whatever no other label does.

A network knows of `other` what its few training rows show, and is sure of some other label where
a text is unlike those. So its row of the head is fitted anew, the network as it is: to the label's
own rows, and to as much weight again of mixed states, each halfway between two rows of different
labels (after Zhan and others, 2021). What is clearly of no label then lies nearer to this one. The
rows are read with pieces hidden, which makes them more like rows that training has not seen.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from model.encoding import chunks
from training.fit.batches import INFERENCE_ROWS, Examples, collate
from training.fit.network import ControlTokenClassifier

Floats = NDArray[np.float64]

MIXED = 4000
"""States that are mixed."""
RIDGE = 0.1
"""Times the mean square of a state's length; see LOG.md."""
HIDDEN = 0.15
"""Share of a text's pieces."""


def fit_row(
    states: Floats, labels: NDArray[np.intp], weight: Floats, bias: Floats, column: int
) -> tuple[Floats, float]:
    """The weights [width] and the bias of one label of a single-label task.

    `states` [rows, width] and `labels` [rows] are of training rows, pieces hidden; `weight`
    [labels, width] and `bias` [labels] of the task's head, whose other rows stay as they are.
    """
    is_label = labels == column
    own, rest = states[is_label], states[~is_label]
    mixed = _mixed(rest, labels[~is_label])
    rows = np.concatenate([rest, own, mixed])
    wanted = np.concatenate([np.zeros(len(rest)), np.ones(len(own) + len(mixed))])
    importance = np.ones(len(rows))
    importance[len(rest) + len(own) :] = max(len(own), 1) / max(len(mixed), 1)
    others = logsumexp(np.delete(rows @ weight.T + bias, column, axis=1), axis=1)
    ridge = RIDGE * np.square(states).sum(1).mean()

    def loss(values: Floats) -> tuple[float, Floats]:
        ahead = rows @ values[:-1] + values[-1] - others
        error = importance * (expit(ahead) - wanted)
        value = (importance * (np.logaddexp(0, ahead) - wanted * ahead)).sum()
        slope = np.append(error @ rows + 2 * ridge * values[:-1], error.sum())
        return float(value + ridge * np.square(values[:-1]).sum()), slope

    best = minimize(loss, np.zeros(states.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return best[:-1], float(best[-1])


def _mixed(states: Floats, labels: NDArray[np.intp]) -> Floats:
    """[up to MIXED, width]: means of two states with different labels."""
    dice = np.random.default_rng(1)
    first, second = dice.integers(0, len(states), (2, MIXED))
    unlike = labels[first] != labels[second]
    mixed: Floats = (states[first[unlike]] + states[second[unlike]]) / 2
    return mixed


def hidden_states(network: ControlTokenClassifier, rows: Examples, task: int) -> Floats:
    """[rows, width]: what the head of `task` reads of rows with pieces hidden, as in training."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network.train().piece_dropout = HIDDEN
        states = head_states(network, rows, task)
    network.eval().piece_dropout = 0.0
    return states


@torch.no_grad()
def head_states(network: ControlTokenClassifier, rows: Examples, task: int) -> Floats:
    """[rows, width]: what the head of `task` reads."""
    states = np.empty((len(rows), int(network.shape.encoder["hidden_size"])))
    lengths = [len(row["input_ids"]) for row in rows]
    for places in chunks(lengths, INFERENCE_ROWS, len(rows) * max(lengths, default=0)):
        batch = collate([rows[place] for place in places], network.control_ids.tolist())
        states[places] = network.states(batch["input_ids"], batch["attention_mask"])[:, task]
    return states
