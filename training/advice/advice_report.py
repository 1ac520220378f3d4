"""How is the advice told? A few lines for the terminal and the report, and its two files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.advice.advise import SUSPECTS, TO_LABEL
from training.advice.learning_curve import LearningCurve
from training.run import Run


def write_advice(run: Run) -> list[str]:
    """Put the files of the stage `advise` into DIR.report; returns what is to be said."""
    run.report.mkdir(exist_ok=True)
    for name in (SUSPECTS, TO_LABEL):
        shutil.copyfile(run.work / "advise" / name, run.report / name)
    return list(_lines(run.facts("advise"), run.report))


def _lines(facts: dict[str, Any], report: Path) -> Iterator[str]:
    found = {task: count for task, count in facts["suspects"].items() if count}
    if found:
        counts = ", ".join(f"{task} {count}" for task, count in found.items())
        yield (
            f"labels that the rest of the table contradicts: {counts} of {facts['rows']:,} rows, "
            f"the likeliest to be wrong first in {report / SUSPECTS}"
        )
    if facts["to_label"]:
        yield (
            f"texts that would teach most if they had labels: {facts['to_label']} of "
            f"{facts['unlabelled']:,}, in {report / TO_LABEL}"
        )
    for curve in facts["curves"]:
        yield f"a simple model of the base's sentence vectors, {LearningCurve(**curve)}"
