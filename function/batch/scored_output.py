"""Scored rows as the output's format has them, saved in steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from function.batch.row_problems import JSON_FIELDS, PREDICTIONS, TRUNCATED, name_problem
from tables.labels import SEPARATOR, join_labels
from tables.parquet import write_parquet
from tables.reader import PARQUET, Fields, TableRow
from tables.writer import compressed_for, csv_lines, delimiter_of, json_lines

if TYPE_CHECKING:
    from function.batch.checkpoint import Checkpoint, Position
    from model.answers import Prediction
    from model.bundle import Task
    from model.classifier import Detailed


class ScoredOutput:
    """JSONL rows get one field more, and a second one where the text was cut; CSV, TSV and Parquet
    rows two columns for each task."""

    def __init__(
        self, extension: str, checkpoint: Checkpoint, tasks: Sequence[Task], top_k: int
    ) -> None:
        self._extension = extension
        self._tasks = tasks
        self._checkpoint = checkpoint
        self._added = [name for task in tasks for name in _columns(task.name)]
        self._one_label = {task.name for task in tasks if task.kind == "single" and top_k == 1}
        self._delimiter = delimiter_of(extension)
        self._has_columns = self._delimiter is not None or extension == PARQUET

    def start(self, columns: list[str]) -> None:
        """Write the header, once the columns are known; a JSONL input has them from a row."""
        position = self.position
        if not self._has_columns or not columns or position.columns is not None:
            return
        if clash := [name for name in self._added if name in columns]:
            names = ", ".join(clash)
            raise ValueError(f"the input has columns named {names} already; rename them")
        header = position.columns = [*columns, *self._added]
        self._append(self._lines([{name: name for name in header}]) if self._delimiter else b"", [])

    @property
    def position(self) -> Position:
        return self._checkpoint.position

    @property
    def notes(self) -> list[str]:
        """What cannot be told from the output."""
        labels = [label for task in self._tasks if task.kind == "multi" for label in task.labels]
        return [
            f"the label {label!r} holds a {SEPARATOR}, which joins labels in this output; "
            "write JSONL to tell them apart"
            for label in labels
            if self._delimiter and SEPARATOR in label
        ]

    def problem(self, fields: Fields) -> str | None:
        """Why a row cannot be written."""
        problem = name_problem(fields, self._added if self._has_columns else [*JSON_FIELDS])
        if problem is not None:
            return problem
        known = self.position.columns or []
        extra = [name for name in fields if self._delimiter and name not in known]
        if not extra:
            return None
        names = ", ".join(extra)
        return f"fields {names} are not among the first row's; write JSONL to keep them"

    def save(self, rows: list[Fields], detailed: Detailed, checked: list[TableRow]) -> None:
        """Append scored `rows` with their answers, and those of `checked` that were not scored."""
        scored = zip(rows, detailed.predictions, strict=True)
        fields = [{**row, **self._fields(answer)} for row, answer in scored]
        if not self._has_columns:
            for index in detailed.truncated:
                fields[index][TRUNCATED] = True
        self._append(self._lines(fields), checked, len(detailed.truncated))

    def finish(self) -> None:
        """Bring the rows to their final name and form."""
        columns = self.position.columns or []
        is_parquet = self._extension == PARQUET
        self._checkpoint.finish(partial(write_parquet, columns=columns) if is_parquet else None)

    def _fields(self, answer: Prediction) -> Fields:
        """What is added to a row."""
        if not self._has_columns:
            return {PREDICTIONS: answer}
        fields: Fields = {}
        for task, labels in answer.items():
            predicted, score = _columns(task)
            names: Any = [label["label"] for label in labels]
            scores: Any = [label["score"] for label in labels]
            if self._delimiter:
                names, scores = join_labels(names), SEPARATOR.join(f"{s:.6f}" for s in scores)
            elif task in self._one_label:
                (names,), (scores,) = names, scores
            fields |= {predicted: names, score: scores}
        return fields

    def _lines(self, rows: list[Fields]) -> bytes:
        if self._delimiter is None:
            return json_lines(rows)
        return csv_lines(rows, self.position.columns or [], self._delimiter)

    def _append(self, lines: bytes, checked: list[TableRow], truncated: int = 0) -> None:
        output = compressed_for(self._extension, lines) if lines else b""
        rejected = [
            {"line": row.line, "reason": row.problem} for row in checked if row.fields is None
        ]
        self._checkpoint.save(output, json_lines(rejected), len(checked), len(rejected), truncated)


def _columns(task: str) -> tuple[str, str]:
    return f"{task}.predicted", f"{task}.score"
