"""What did the twins show, beyond the noise of the seeds? Two tables, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from scipy.stats import t

from tables.text import markdown
from training.judge.metrics import HEADLINE
from training.recipe import ATTENTIONS, TaskSpec
from training.run import Run
from training.studies.study import write_results

FORMAT = 1
CONFIDENCE = 0.95
Results = dict[tuple[str, str, str], list[float]]
"""{(attention, shared or alone, task): figures in percent, by seed}."""


@dataclass(frozen=True)
class Difference:
    """Points from `before` to `after`, paired by seed: positive is in favour of `after`."""

    before: float
    after: float
    points: float
    low: float | None
    """Bounds of the 95 % t-interval; None with one seed, which has no noise to see."""
    high: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """The mean difference of figures in the order of their seeds."""
    steps = [new - old for old, new in zip(before, after, strict=True)]
    mean, low, high = fmean(steps), None, None
    if len(steps) > 1:
        half = float(t.ppf((1 + CONFIDENCE) / 2, len(steps) - 1)) * stdev(steps) / len(steps) ** 0.5
        low, high = mean - half, mean + half
    return Difference(fmean(before), fmean(after), mean, low, high)


def write_twins_report(run: Run, results: Results, steps: int, seeds: int) -> str:
    """Write DIR.report/twins.{md,json}; return the text for the terminal."""
    recipe = run.recipe

    def compared(
        before: tuple[str, str], after: tuple[str, str]
    ) -> Iterator[tuple[TaskSpec, Difference]]:
        for task in recipe.tasks:
            old, new = results.get((*before, task.name)), results.get((*after, task.name))
            if old and new:
                yield task, difference(old, new)

    sharing = [
        (attention, task, change)
        for attention in ATTENTIONS
        for task, change in compared((attention, "alone"), (attention, "shared"))
    ]
    joining = list(compared(("independent", "shared"), ("joint", "shared")))
    rows = recipe.teacher.batch_size * recipe.teacher.accumulation_steps
    text = "\n\n".join(
        [
            f"# {recipe.name}: one network for all tasks, or one for each",
            f"{steps} steps of {rows} rows for every network, {seeds} seed{'s' * (seeds > 1)}, "
            "fine-tuned from the base and not distilled; the budget is reduced, so figures compare "
            "with each other and not with a full run's. Accuracy (single label) or micro-F1 "
            "(multi-label) in percent on the same test rows, through the serving classifier. "
            "Differences in points with the 95 % t-interval over seeds, paired by seed; bold where "
            "it leaves out zero.",
            "## What sharing costs (-) or gains (+) each task",
            _table(
                ["attention", "task", "alone", "shared"],
                [[attention, task.name, *_cells(change)] for attention, task, change in sharing],
            ),
            "## What control tokens that see each other cost or gain, all tasks in one network",
            _table(
                ["task", "independent", "joint"],
                [[task.name, *_cells(change)] for task, change in joining],
            ),
        ]
    )
    document = {
        "format": FORMAT,
        "name": recipe.name,
        "steps": steps,
        "rows_per_step": rows,
        "seeds": seeds,
        "sharing": [{"attention": kind, **_fields(task, change)} for kind, task, change in sharing],
        "attention": [_fields(task, change) for task, change in joining],
        "figures": [
            {"attention": kind, "network": network, "task": task, "percent": figures}
            for (kind, network, task), figures in results.items()
        ],
    }
    return write_results(run, "twins", text, document)


def _table(header: list[str], rows: list[list[str]]) -> str:
    """A table whose last four columns are a Difference's."""
    if not rows:
        return "Nothing to compare: the recipe has one task, or none with test rows."
    return markdown([*header, "difference", "95 % interval"], rows, numbers_from=len(header) - 2)


def _cells(change: Difference) -> list[str]:
    points = f"{change.points:+.2f}"
    return [
        f"{change.before:.2f}",
        f"{change.after:.2f}",
        f"**{points}**" if change.clear else points,
        "-" if change.low is None else f"{change.low:+.2f} to {change.high:+.2f}",
    ]


def _fields(task: TaskSpec, change: Difference) -> dict[str, Any]:
    rounded = {
        key: None if value is None else round(value, 3) for key, value in asdict(change).items()
    }
    return {"task": task.name, "metric": HEADLINE[task.kind], **rounded, "clear": change.clear}
