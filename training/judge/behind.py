"""Is what ships worse than a simple model? Then the run says so first, and what may be the reason.

Compared on the rows that were held out. "Worse" is by more than chance: the interval of the
difference lies above nought.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from training.judge.drops import measured_drops
from training.judge.judged import JudgedTask
from training.rows.coverage import coverage
from training.rows.table import Table
from training.run import Run

BEHIND = "behind"
"""The key of a bundle's metrics that holds what `behind` returns; absent: it is behind none."""
FEW_EXAMPLES = 10
"""Training rows of a label, with which it is hardly learnt."""
NO_REASON = (
    "nothing that shows in the table; more epochs of teacher and student, or a base that knows "
    "such text, may help"
)


def behind(
    run: Run, bundle: Sequence[JudgedTask], baselines: Mapping[str, Sequence[JudgedTask]]
) -> dict[str, Any]:
    """{"tasks": [{"baseline": its name, fields of Drop}], "reasons": [sentences]}; {} if none."""
    tasks = [
        {"baseline": name, **asdict(drop)}
        for name, judged in baselines.items()
        for drop in measured_drops(judged, bundle)
        if drop.low > 0
    ]
    return {BEHIND: {"tasks": tasks, "reasons": list(_reasons(run))}} if tasks else {}


def behind_lines(metrics: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each task and baseline that is ahead, and one with what may be the reason.

    `metrics` of a bundle, `titles` {baseline: how it is called}.
    """
    if BEHIND not in metrics:
        return
    for entry in metrics[BEHIND]["tasks"]:
        yield (
            f"{entry['task']}: {entry['after']:.1f} is worse than the {entry['before']:.1f} of "
            f"{titles[entry['baseline']]}, by {entry['drop']:.1f} points ({entry['low']:.1f} to "
            f"{entry['high']:.1f}) on {entry['rows']:,} test rows"
        )
    yield "what may be the reason: " + ("; ".join(metrics[BEHIND]["reasons"]) or NO_REASON)


def _reasons(run: Run) -> Iterator[str]:
    texts = [row.text for row in run.table.rows if row.labelled]
    yield from coverage(run.tokenizer, texts, run.max_tokens).problems()
    yield from _few_examples(run.table)


def _few_examples(table: Table) -> Iterator[str]:
    for task in table.tasks:
        counts = table.train_rows(task.name)
        few = [label for label in task.labels if counts[label] < FEW_EXAMPLES]
        if few:
            yield (
                f"{task.name}: {len(few)} of {len(task.labels)} labels have fewer than "
                f"{FEW_EXAMPLES} training rows"
            )
