"""How does what ships come to know every labelled row? The student that won is fitted on to all.

It goes on from the held-out student and learns what its teachers make of all text, corrected where
a label says otherwise. (With few rows these are teachers of all rows; see reteach.py.) Nothing is
hidden and nothing is misspelt: what a row says is to be answered as it stands there. Every pass is
over all text, with the rows that are not answered for sure more and more often, until enough are
right. Passes over such rows alone, or nearly, learn them sooner and unlearn what was known of rows
that nobody labelled; so do passes without variants.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from numpy.typing import NDArray
from transformers.trainer_utils import set_seed

from model.bundle import read_bundle
from model.heads import Heads
from training.distil.label_targets import Logits, corrected, decision_lines, margins
from training.distil.reteach import is_taught_anew, taught
from training.distil.soft_targets import committee_logits, made_rows
from training.fit.batches import Example, collate, examples, network_logits, targets
from training.fit.checkpoints import has_fast_bfloat16, resume_from, trainer_arguments
from training.fit.network import SHAPE, ControlTokenClassifier, load_network, save_network
from training.fit.objective import Objective
from training.fit.schedule import refit_variant_count, variant_count
from training.fit.stored_embeddings import stored_embeddings
from training.fit.trainer import HeadTrainer
from training.judge.corrected_heads import corrected_network
from training.judge.refit_facts import ENOUGH
from training.recipe import Student
from training.rows.own_rows import anchors, contradicted, own_rows
from training.rows.table import Row
from training.run import Run

MARGIN = 2.0
"""By how much the logit of a labelled answer is to be ahead."""
SURE = 1.0
"""A row whose labels are less ahead is read more often."""
OFTEN = 2
"""In each pass so many times as often as in the one before."""
OFTEN_AT_FIRST = 4
"""Of many rows, so that one pass is mostly enough."""
ROUNDING = 0.2
"""What int8 may take of a margin, at most: rows that are less ahead do not count as right."""
PASSES = 6
FEWEST_STEPS = 100
"""Of a pass: it goes through a small table several times."""
LEARNING_RATE, BATCH_SIZE = 1e-4, 32
TEACHER = "teacher"
"""Folder of the stage, removed at its end."""

Places = NDArray[np.intp]


def run(run: Run, folder: Path) -> None:
    """The stage `refit`: write the network that ships to `folder`."""
    network = corrected_network(run, "student")[0]
    bits = run.facts("quantize")["settings"]["embedding_bits"]
    rows = own_rows(run.table, run.recipe.ship.never_fitted)
    lesson = _lesson(run, network, rows, folder / TEACHER)
    often = 1 if is_taught_anew(run) else OFTEN_AT_FIRST
    for number in range(PASSES):
        ahead = lesson.ahead(network)
        if lesson.is_learnt(ahead) and number:  # one pass at least
            break
        places, part = lesson.places(ahead, often * OFTEN**number), folder / f"pass-{number}"
        network = _read(run, network, [lesson.examples[place] for place in places], part, bits)
    processes = PartialState()
    processes.wait_for_everyone()
    if processes.is_main_process:
        save_network(network, folder)
        for part in (folder / TEACHER, *folder.glob("pass-*")):
            shutil.rmtree(part, ignore_errors=True)


@dataclass(frozen=True, eq=False)
class Lesson:
    """All text that is read: the rows with labels first."""

    heads: Heads
    examples: list[Example]
    truth: Logits
    """[rows with labels, labels of all tasks]; NaN also where two rows contradict each other."""
    lines: Logits
    """From which logit a label is an answer; see decision_lines."""

    def ahead(self, network: ControlTokenClassifier) -> Logits:
        """[rows with labels, tasks], by how much `network` has their answers right."""
        rows = self.examples[: len(self.truth)]
        logits = network_logits(network, rows, has_fast_bfloat16())
        return margins(self.heads, logits, self.truth, self.lines)

    def is_learnt(self, ahead: Logits) -> bool:
        """Whether enough rows of each task are answered right."""
        shares = [_percent(gaps) for gaps in ahead.T]
        parts = [f"{head.name} {share:.2f}" for head, share in zip(self.heads, shares, strict=True)]
        print(f"refit: own rows answered right, percent: {', '.join(parts)}", flush=True)
        enough = [ENOUGH[head.kind] for head in self.heads]
        return all(share >= least for share, least in zip(shares, enough, strict=True))

    def places(self, ahead: Logits, often: int) -> Places:
        """What a pass reads: all text, and rows that are unsure `often`."""
        unsure = np.flatnonzero(ahead.min(axis=1) < SURE)
        most = max(1, len(self.examples) // (4 * max(1, len(unsure))))  # a quarter of a pass more
        again = [unsure] * min(often - 1, most)
        return np.concatenate([np.arange(len(self.examples)), *again])


def _percent(gaps: NDArray[np.float32]) -> float:
    """Of the rows that are labelled for a task, with these margins, those that count as right."""
    counted = gaps[np.isfinite(gaps)]
    return 100 * float((counted >= ROUNDING).mean()) if len(counted) else 100.0


def _lesson(run: Run, network: ControlTokenClassifier, rows: Sequence[Row], folder: Path) -> Lesson:
    """What the teachers make of all text, corrected by the labels of `rows`.

    `network` is the corrected held-out student; `folder` is for a teacher of all rows.
    """
    sizes = len(run.table.transfer), run.read_per_text
    if is_taught_anew(run):
        count = variant_count(run.recipe, len(rows), *sizes)
        half = count // 2  # as of the text without labels, for the time that it takes
        texts = [*rows, *anchors(run.table), *made_rows(run, rows, half)]
        logits = taught(run, rows, texts, folder)
    else:
        train = run.table.split("train")
        count = refit_variant_count(run.recipe, len(train), *sizes)
        texts = [*rows, *anchors(run.table), *made_rows(run, train, count)]
        logits = committee_logits(run, texts)
    answers = _as_corrected(run, network, logits, texts)
    truth = targets(run.table, texts)
    for head, disputed in zip(run.heads, contradicted(rows).T, strict=True):
        head.of(truth)[: len(rows)][disputed] = np.nan
    lines = decision_lines(read_bundle(run.work / "quantize" / "int8").tasks)
    soft = corrected(run.heads, answers, truth, lines, MARGIN)
    return Lesson(run.heads, examples(run, texts, soft), truth[: len(rows)], lines)


def _as_corrected(
    run: Run, network: ControlTokenClassifier, logits: Logits, texts: Sequence[Row]
) -> Logits:
    """`logits` with what was done to the student's heads after its training: biases are added, and
    a task with offsets is answered by `network`."""
    before, offsets = load_network(run.work / "student"), run.facts("export")["student"]
    answers = None
    if any(offsets.values()):
        answers = network_logits(network, examples(run, texts), has_fast_bfloat16())
    for head, old, new in zip(run.heads, before.task_heads, network.task_heads, strict=True):
        assert isinstance(old, torch.nn.Linear)
        assert isinstance(new, torch.nn.Linear)
        if answers is not None and offsets.get(head.name):
            head.of(logits)[:] = head.of(answers)
        else:
            head.of(logits)[:] += (new.bias - old.bias).detach().numpy()
    return logits


def _read(
    run: Run, network: ControlTokenClassifier, lesson: list[Example], part: Path, bits: int
) -> ControlTokenClassifier:
    """The network after one pass over `lesson`; one that was finished before is loaded.

    `bits`: of its word embeddings, as what ships has them.
    """
    if (part / SHAPE).is_file():
        return load_network(part)
    settings = Student(
        learning_rate=LEARNING_RATE, batch_size=BATCH_SIZE, seed=run.recipe.student.seed
    )
    set_seed(settings.seed)
    steps = -(-len(lesson) // settings.batch_size)
    epochs = -(-FEWEST_STEPS // steps)
    trainer = HeadTrainer(
        Objective(run.heads, alpha=1.0),
        model=network,
        args=trainer_arguments(
            settings,
            part / "checkpoints",
            steps * epochs,
            has_fast_bfloat16(),
            num_train_epochs=epochs,
            warmup_steps=settings.warmup_fraction,
            weight_decay=settings.weight_decay,
            label_names=["labels"],
            remove_unused_columns=False,
        ),
        train_dataset=lesson,
        data_collator=partial(collate, control_ids=network.control_ids.tolist()),
    )
    with stored_embeddings(network, bits):
        trainer.train(resume_from_checkpoint=resume_from(part / "checkpoints"))
    if trainer.is_world_process_zero():
        save_network(network, part)
    return network.cpu().eval()
