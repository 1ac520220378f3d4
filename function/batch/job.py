"""Score a file of rows: `python -m function batch IN OUT`.

A JSONL output keeps each row and adds `"predictions": {task: [{"label", "score"}]}`. A CSV
output adds two columns for each task, `TASK.predicted` and `TASK.score`, their values joined by
`|` and in the same order. Memory holds one chunk of rows, whatever the size of the file.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Never

from tqdm import tqdm

from function.batch.checkpoint import Checkpoint, Position, fingerprint
from model.classifier import Classifier
from model.encoding import is_blank
from tables.labels import join_labels
from tables.reader import Fields, TableReader, TableRow, format_of
from tables.writer import compressed_for, csv_lines, json_lines

if TYPE_CHECKING:
    from model.answers import Prediction

PREDICTIONS = "predictions"
LOG_S = 30.0
"""Seconds between two lines of progress in a log; a terminal has a bar."""


@dataclass(frozen=True)
class BatchJob:
    """One call of the command."""

    source: Path
    target: Path
    bundle: Path
    text: str = "text"
    tasks: list[str] | None = None
    top_k: int = 1
    chunk_rows: int = 1024
    force: bool = False
    threads: int = 1


def run_job(job: BatchJob) -> Position:
    """Score the file, going on where a killed run stopped; raises ValueError or OSError."""
    format_of(job.target)  # an output of no known format ends here
    if job.target.exists() and job.source.exists() and job.target.samefile(job.source):
        raise ValueError(f"{job.target}: is the input itself; name another file for the output")
    if job.target.exists() and not job.force:
        raise ValueError(f"{job.target}: exists already; give --force to replace it")
    with TableReader(job.source) as reader:
        if reader.columns is not None and job.text not in reader.columns:
            columns = ", ".join(reader.columns)
            raise ValueError(f"{job.source}: no column {job.text!r}; give --text one of: {columns}")
        classifier = Classifier.load(job.bundle, job.threads)
        classifier.predict([], job.tasks)  # unknown tasks end here, before any file is made
        checkpoint = Checkpoint(job.target, _made_from(job, classifier), force=job.force)
        with closing(checkpoint):
            _score_rest(job, reader, classifier, checkpoint)
    checkpoint.finish()
    position = checkpoint.position
    summary = f"{position.rows - position.rejected} rows in {job.target}"
    if position.rejected:
        summary += f", {position.rejected} set aside in {job.target.name}.rejected.jsonl"
    print(summary, file=sys.stderr)
    return position


def _made_from(job: BatchJob, classifier: Classifier) -> dict[str, object]:
    return {
        **fingerprint(job.source),
        "bundle": classifier.bundle.identity,
        "text": job.text,
        "tasks": job.tasks,
        "top_k": job.top_k,
    }


def _score_rest(
    job: BatchJob, reader: TableReader, classifier: Classifier, checkpoint: Checkpoint
) -> None:
    position = checkpoint.position
    extension = format_of(job.target)
    tasks = job.tasks or [task.name for task in classifier.bundle.tasks]
    added = [name for task in tasks for name in _columns(task)]
    if extension == ".csv" and position.columns is None:
        _start_csv(reader.columns or [], added, checkpoint)
    rows = iter(reader)
    for _ in itertools.islice(rows, position.rows):
        pass  # an earlier run has scored it
    with _progress_bar(reader) as bar:
        for chunk in _chunked(rows, job.chunk_rows):
            if extension == ".csv" and position.columns is None:
                first = next((list(row.fields) for row in chunk if row.fields is not None), [])
                _start_csv(first, added, checkpoint)
            checked = [_checked(row, job.text, position.columns, added) for row in chunk]
            good = [row.fields for row in checked if row.fields is not None]
            texts = [fields[job.text] for fields in good]
            lines = _lines(good, classifier.predict(texts, job.tasks, job.top_k), position.columns)
            rejected = [
                {"line": row.line, "reason": row.problem} for row in checked if row.fields is None
            ]
            output = compressed_for(extension, lines) if lines else b""
            checkpoint.save(output, json_lines(rejected), len(checked), len(rejected))
            bar.set_description_str(f"{position.rows} rows", refresh=False)
            bar.update(reader.read_bytes - bar.n)


def _progress_bar(reader: TableReader) -> tqdm[Never]:
    """A bar over the bytes of the input on a terminal; in a log, a line now and then.

    Its rate counts from here, without the rows of an earlier run.
    """
    is_terminal = sys.stderr.isatty()
    log_line = "{desc}, {percentage:.0f}% read, {rate_fmt}, {remaining} left\n"
    return tqdm(
        total=reader.total_bytes,
        initial=reader.read_bytes,
        unit="B",
        unit_scale=True,
        miniters=1,
        mininterval=0.1 if is_terminal else LOG_S,
        delay=0 if is_terminal else LOG_S,
        bar_format=None if is_terminal else log_line,
        dynamic_ncols=True,
    )


def _lines(rows: list[Fields], answers: list[Prediction], columns: list[str] | None) -> bytes:
    """The output of scored rows: CSV when there are columns, else JSONL."""
    scored = zip(rows, answers, strict=True)
    if columns is None:
        return json_lines([{**fields, PREDICTIONS: answer} for fields, answer in scored])
    return csv_lines([{**fields, **_cells(answer)} for fields, answer in scored], columns)


def _start_csv(columns: list[str], added: list[str], checkpoint: Checkpoint) -> None:
    """Write the header, once the columns are known; a JSONL input has them from its first row."""
    if not columns:
        return
    clash = [name for name in added if name in columns]
    if clash:
        raise ValueError(f"the input has columns named {', '.join(clash)} already; rename them")
    names = checkpoint.position.columns = [*columns, *added]
    checkpoint.save(csv_lines([{name: name for name in names}], names), b"", 0, 0)


def _checked(row: TableRow, text: str, columns: list[str] | None, added: list[str]) -> TableRow:
    """The row, or why it cannot be scored or written."""
    if row.fields is None:
        return row
    problem = _text_problem(row.fields, text)
    if problem is None and columns is None and PREDICTIONS in row.fields:
        problem = f"has a field {PREDICTIONS!r} already"
    if problem is None and columns is not None:
        extra = [name for name in row.fields if name not in columns or name in added]
        if extra:
            names = ", ".join(extra)
            problem = f"fields {names} are not among the first row's; write JSONL to keep them"
    return row if problem is None else TableRow(row.line, None, problem)


def _text_problem(fields: Fields, text: str) -> str | None:
    value = fields.get(text)
    if value is None:
        return f"no {text!r}"
    if not isinstance(value, str):
        return f"{text!r} is not a string"
    return f"{text!r} is blank" if is_blank(value) else None


def _columns(task: str) -> tuple[str, str]:
    return f"{task}.predicted", f"{task}.score"


def _cells(answer: Prediction) -> dict[str, str]:
    """The two cells of each task."""
    cells = {}
    for task, labels in answer.items():
        predicted, score = _columns(task)
        cells[predicted] = join_labels(label["label"] for label in labels)
        cells[score] = join_labels(f"{label['score']:.6f}" for label in labels)
    return cells


def _chunked(rows: Iterator[TableRow], size: int) -> Iterator[list[TableRow]]:
    while chunk := list(itertools.islice(rows, size)):
        yield chunk
