"""What does the student learn from? Logits of its teachers on all text, computed once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.distil.committee import combine, fit_weights
from training.distil.label_targets import Logits
from training.distil.like_words import LikeWords
from training.distil.variants import variants
from training.fit.batches import examples, head_logits, network_logits, network_states, targets
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.network import ControlTokenClassifier, load_network
from training.fit.schedule import variant_count
from training.judge.frozen import FrozenModel, fit_frozen
from training.judge.linear import fit_linear
from training.rows.table import Row
from training.run import Run

TRAIN, VALIDATION, WEIGHTS, STATES = "train.npy", "validation.npy", "weights.npy", "states.npy"
"""float32 [rows, labels of all tasks], of `student_rows` and of the validation split; the
committee's weights [tasks, members + 1]; where `student_rows` are few, float16 [rows, tasks, width]
of what the teacher's heads read."""
TEXTS_WITH_STATES = 20_000
"""At most; a student that reads more takes enough steps without."""


def run(run: Run, folder: Path) -> None:
    """The stage `soft`: write the teacher's logits, or the committee's, to `folder`."""
    parts = {TRAIN: student_rows(run), VALIDATION: run.table.split("validation")}
    network, frozen = load_network(run.work / "teacher"), frozen_member(run)
    members, states = {}, {}
    for name, rows in parts.items():
        members[name], states[name] = votes(run, network, frozen, rows)
    if frozen is not None:
        truth = targets(run.table, parts[VALIDATION])
        np.save(folder / WEIGHTS, fit_weights(run.heads, members[VALIDATION], truth))
    for name in parts:
        np.save(folder / name, agreed(run, members[name]))
    if (of_train := states[TRAIN]) is not None:
        np.save(folder / STATES, of_train.astype(np.float16))


def frozen_member(run: Run) -> FrozenModel | None:
    """None where the teacher alone teaches."""
    return fit_frozen(run) if run.recipe.student.committee else None


def votes(
    run: Run, network: ControlTokenClassifier, frozen: FrozenModel | None, rows: Sequence[Row]
) -> tuple[tuple[NDArray[np.floating], ...], NDArray[np.float32] | None]:
    """What each teacher makes of `rows`: logits [rows, labels of all tasks], those of `network`
    first; and what its heads read [rows, tasks, width], None of more than TEXTS_WITH_STATES."""
    states = None
    if len(rows) <= TEXTS_WITH_STATES:
        states = network_states(network, examples(run, rows), has_fast_bfloat16())
        logits = head_logits(network, states)
    else:
        logits = network_logits(network, examples(run, rows), has_fast_bfloat16())
    if frozen is None:
        return (logits,), states
    texts = [row.text for row in rows]
    linear = fit_linear(run.table).decision_values(texts)
    return (logits, frozen.logits(texts), linear), states


def agreed(run: Run, members: Sequence[NDArray[np.floating]]) -> Logits:
    """The committee's logits, of those of its members."""
    if len(members) == 1:
        return np.asarray(members[0], np.float32)
    return combine(list(np.load(run.work / "soft" / WEIGHTS)), run.heads, members)


def committee_logits(run: Run, rows: Sequence[Row]) -> Logits:
    """What the teachers make of `rows`, most of which they have read before."""
    by_text: dict[str, NDArray[np.float32]] = {}
    for name, known in ((TRAIN, student_rows(run)), (VALIDATION, run.table.split("validation"))):
        by_text |= zip((row.text for row in known), np.load(run.work / "soft" / name), strict=True)
    new = [row for row in rows if row.text not in by_text]
    if new:
        network = load_network(run.work / "teacher")
        logits = agreed(run, votes(run, network, frozen_member(run), new)[0])
        by_text |= zip((row.text for row in new), logits, strict=True)
    return np.stack([by_text[row.text] for row in rows])


@functools.lru_cache(maxsize=1)  # several stages read it
def student_rows(run: Run) -> tuple[Row, ...]:
    """All text that the student learns from, the labelled rows first."""
    train, transfer = run.table.split("train"), run.table.transfer
    count = variant_count(run.recipe, len(train), len(transfer), run.read_per_text)
    return (*train, *transfer, *made_rows(run, train, count))


def made_rows(run: Run, rows: Sequence[Row], count: int) -> list[Row]:
    """Unlabelled rows whose texts are variants of those of `rows`; fewer are the first of more."""
    if not count:
        return []
    texts = variants([row.text for row in rows], count, LikeWords(run.base), run.recipe.data.seed)
    unlabelled = (None,) * len(run.table.tasks)
    return [Row(text, unlabelled, None, "", None, "variant") for text in texts]
