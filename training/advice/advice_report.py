"""How is the advice told? A few lines for the terminal and the report, and its two files.

People write into the two files and list them in the recipe: a file that is listed, or is no longer
as a run left it, stays, and the new one gets a number.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from model.aside import file_aside, read_json, write_json
from training.advice.advise import SUSPECTS, TO_LABEL
from training.advice.learning_curve import LearningCurve
from training.origins import file_digest
from training.run import Run

WRITTEN = "advice.json"
"""In DIR.work: the digests of the files as runs left them."""


class AdviceFiles(NamedTuple):
    suspects: Path
    to_label: Path


def put_advice(run: Run) -> AdviceFiles:
    """Put the files of the stage `advise` into DIR.report."""
    run.report.mkdir(exist_ok=True)
    return AdviceFiles(_put(run, SUSPECTS), _put(run, TO_LABEL))


def _put(run: Run, name: str) -> Path:
    """Copy a file of the stage to where it loses nobody's work."""
    source = run.work / "advise" / name
    digest = file_digest(source)
    written: dict[str, str] = read_json(run.work / WRITTEN) or {}
    paths = [file.path for file in run.recipe.data.files]
    listed = {path.resolve() for path in paths if isinstance(path, Path)}
    stem, ending = name.split(".")
    names = (f"{stem}-{number}.{ending}" for number in itertools.count(2))
    for path in (run.report / each for each in itertools.chain([name], names)):
        if path not in listed and file_digest(path) in (None, written.get(path.name), digest):
            break
    with file_aside(path) as aside:
        shutil.copyfile(source, aside)
    write_json(run.work / WRITTEN, {**written, path.name: digest})
    return path


def advice_lines(facts: dict[str, Any], files: AdviceFiles) -> Iterator[str]:
    """`facts`: those of the stage."""
    found = {task: count for task, count in facts["suspects"].items() if count}
    if found:
        counts = ", ".join(f"{task} {count}" for task, count in found.items())
        yield (
            f"labels that the rest of the table contradicts: {counts} of {facts['rows']:,} rows, "
            f"the likeliest to be wrong first in {files.suspects}"
        )
    if facts["to_label"]:
        of_all, looked_at = facts["unlabelled"], facts["looked_at"]
        part = f" ({looked_at:,} of them looked at)" if looked_at < of_all else ""
        yield (
            f"texts that would teach most if they had labels: {facts['to_label']} of "
            f"{of_all:,}{part}, in {files.to_label}"
        )
    for curve in facts["curves"]:
        yield f"a simple model of the base's sentence vectors, {LearningCurve(**curve)}"
