"""Which soft targets agree with the labels? A network's own logits, corrected where it is wrong.

Soft targets that contradict a label teach the student to forget it. Here the labelled answer is
raised until it wins by a margin, and the rest of the distribution stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.bundle import Task
from model.heads import Heads

Logits = NDArray[np.float32]
"""[rows, labels of all tasks]"""


def decision_lines(tasks: Sequence[Task]) -> Logits:
    """[labels of all tasks]: the logit from which a label of a multi-label task is an answer; 0
    for labels of single-label tasks."""
    heads = Heads(tasks)
    lines = np.zeros(heads.width, np.float32)
    for task, head in zip(tasks, heads, strict=True):
        if task.thresholds is not None:
            share = np.clip(np.array(task.thresholds), 1e-6, 1 - 1e-6)
            lines[head.columns] = task.temperature * np.log(share / (1 - share))
    return lines


def margins(heads: Heads, logits: Logits, truth: Logits, lines: Logits) -> Logits:
    """[rows, tasks]: how far the labelled answer is ahead; negative: another one is given.

    `truth`: 1, 0, or NaN where not labelled, which gives infinity.
    """
    ahead = np.full((len(truth), len(heads)), np.inf, np.float32)
    for place, head in enumerate(heads):
        target, logit = head.of(truth), head.of(logits)
        if head.kind == "single":
            gaps = _winner(target, logit) - _runner_up(target, logit)
        else:
            gaps = np.where(target > 0, 1, -1) * (logit - head.of(lines))
        ahead[:, place] = np.where(np.isnan(target[:, 0]), np.inf, gaps.min(axis=1))
    return ahead


def corrected(heads: Heads, logits: Logits, truth: Logits, lines: Logits, margin: float) -> Logits:
    """`logits` where each labelled answer is ahead by `margin` or more."""
    targets = logits.copy()
    for head in heads:
        target, logit, line = head.of(truth), head.of(targets), head.of(lines)
        if head.kind == "single":
            above = _runner_up(target, logit) + margin
            wanted = np.where(target > 0, np.maximum(logit, above), logit)
        else:
            above, below = np.maximum(logit, line + margin), np.minimum(logit, line - margin)
            wanted = np.where(target > 0, above, below)
        logit[:] = np.where(np.isnan(target), logit, wanted)
    return targets


def _winner(target: Logits, logit: Logits) -> Logits:
    """[rows, 1]: the logit of the label."""
    winner: Logits = np.where(target > 0, logit, -np.inf).max(axis=1, keepdims=True)
    return winner


def _runner_up(target: Logits, logit: Logits) -> Logits:
    """[rows, 1]: the largest logit of another label; minus infinity where there is none."""
    runner_up: Logits = np.where(target > 0, -np.inf, logit).max(axis=1, keepdims=True)
    return runner_up
