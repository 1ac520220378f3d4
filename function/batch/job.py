"""Score a file of rows: `python -m function batch IN OUT`.

A JSONL output keeps each row and adds `"predictions": {task: [{"label", "score"}]}`, and
`"truncated": true` where the text was cut. A CSV or TSV output adds two columns for each task,
`TASK.predicted` and `TASK.score`, their values joined by `|` and in the same order; where no label
applies, `[]` and an empty cell. In Parquet they are lists, or single values of single-label tasks.
Memory holds one chunk of rows at a time.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from tqdm import tqdm

from function.batch.checkpoint import Checkpoint, Position, fingerprint
from function.batch.row_problems import text_problem
from function.batch.scored_output import ScoredOutput
from model.classifier import Classifier
from tables.columns import WantedColumns, column_of, no_column
from tables.reader import TableReader, TableRow
from tables.remote_table import TableLocation
from tables.writer import output_format

LOG_S = 30.0
"""Seconds between two lines of progress in a log; a terminal has a bar."""


@dataclass(frozen=True)
class BatchJob:
    """One call of the command."""

    source: TableLocation
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
    extension = output_format(job.target)  # an output of no known format ends here
    is_file = isinstance(job.source, Path) and job.source.exists()
    if is_file and job.target.exists() and job.target.samefile(str(job.source)):
        raise ValueError(f"{job.target}: is the input itself; name another file for the output")
    if job.target.exists() and not job.force:
        raise ValueError(f"{job.target}: exists already; give --force to replace it")
    with TableReader(job.source) as reader:
        if reader.columns is not None and column_of(job.text, reader.columns) is None:
            problem = no_column(job.text, reader.columns)
            raise ValueError(f"{job.source}: {problem}; give --text COLUMN")
        classifier = Classifier.load(job.bundle, job.threads)
        classifier.predict([], job.tasks)  # unknown tasks end here, before any file is made
        task_of = {task.name: task for task in classifier.bundle.tasks}
        tasks = [task_of[name] for name in job.tasks or task_of]
        checkpoint = Checkpoint(job.target, _made_from(job, classifier), force=job.force)
        output = ScoredOutput(extension, checkpoint, tasks, job.top_k)
        text_column = WantedColumns([job.text])
        with closing(checkpoint):
            _score_rest(job, reader, text_column, classifier, output)
        notes = [*reader.notes, *(f"{job.source}: {note}" for note in text_column.notes)]
    output.finish()
    position = checkpoint.position
    summary = f"{position.rows - position.rejected} rows in {job.target}"
    if position.rejected:
        summary += f", {position.rejected} set aside in {job.target.name}.rejected.jsonl"
    if position.truncated:
        limit = classifier.bundle.max_tokens
        summary += f"; {position.truncated} texts were cut to {limit} tokens"
    lines = [f"note: {note}" for note in (*notes, *output.notes)]
    print(*lines, summary, sep="\n", file=sys.stderr)
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
    job: BatchJob,
    reader: TableReader,
    text_column: WantedColumns,
    classifier: Classifier,
    output: ScoredOutput,
) -> None:
    position = output.position
    output.start(reader.columns or [])
    rows = iter(reader)
    for _ in itertools.islice(rows, position.rows):
        pass  # an earlier run has scored it
    with _progress_bar(reader) as bar:
        for chunk in _chunked(rows, job.chunk_rows):
            output.start(next((list(row.fields) for row in chunk if row.fields is not None), []))
            checked = [_checked(row, job.text, text_column, output) for row in chunk]
            good = [row.fields for row in checked if row.fields is not None]
            texts = [text_column.apply(fields)[job.text] for fields in good]
            output.save(good, classifier.predict_detailed(texts, job.tasks, job.top_k), checked)
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


def _checked(
    row: TableRow, text: str, text_column: WantedColumns, output: ScoredOutput
) -> TableRow:
    """The row, or why it cannot be scored or written."""
    if row.fields is None:
        return row
    problem = text_problem(text_column.apply(row.fields), text) or output.problem(row.fields)
    return row if problem is None else TableRow(row.line, None, problem)


def _chunked(rows: Iterator[TableRow], size: int) -> Iterator[list[TableRow]]:
    while chunk := list(itertools.islice(rows, size)):
        yield chunk
