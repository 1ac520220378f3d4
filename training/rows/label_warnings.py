"""Which labels are probably not meant as they are written? Each is kept, and told.

One spelling in several cases, a missing value written out, several labels in what is read as one,
empty cells where `[]` may have been meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from tables.labels import NONE_APPLY
from training.rows.table import LabelledTask, Table

MISSING = frozenset((
    "nan", "none", "null", "nil", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nat", "missing",
    "undefined", "(null)", "-", "--", "?", ".",
))  # fmt: skip
"""What exports write into a cell that has no value, in lower case."""
SEPARATORS = ("|", ",", ";", "#", "/", "+", "&", "::", ":", "||", "\\", "~", "^", "\t", "\n", " ")
"""What joins labels in other people's tables; the space last, since it is in names, too."""
LIST_SEPARATORS = ("|", ",", ";")
"""Those that make a list of a single label; the others are in names of one thing."""
BRACKETS = re.compile(r"\[.*\]|\{.*\}", re.DOTALL)
SHOWN = 5
"""Labels or spellings named in one warning."""


def label_warnings(table: Table) -> Iterator[str]:
    """A sentence for each doubt, with the task, the labels, and what to write instead."""
    for index, task in enumerate(table.tasks):
        targets = [row.targets[index] for row in table.rows]
        rows_of_label = Counter(label for target in targets for label in target or ())
        doubts = [*_spellings(task), *_written_out(rows_of_label)]
        if task.kind == "multi":
            doubts += _joined(rows_of_label)
            if table.empty_cells[index] and not any(target == frozenset() for target in targets):
                doubts.append(_empty_cells(table.empty_cells[index]))
        else:
            doubts += _lists(rows_of_label)
        yield from (f"task {task.name}: {doubt}" for doubt in doubts)


def _spellings(task: LabelledTask) -> Iterator[str]:
    by_form: dict[str, list[str]] = defaultdict(list)
    for label in task.labels:
        by_form[_without_spelling(label)].append(label)
    alike = [f"{_named(labels)}" for labels in by_form.values() if len(labels) > 1]
    if alike:
        more = f" and {len(alike) - SHOWN} more such" if len(alike) > SHOWN else ""
        yield (
            f"labels are equal but for case, width, spaces or invisible characters: "
            f"{'; '.join(alike[:SHOWN])}{more}. Each is learnt as a label of its own; "
            "give them one spelling"
        )


def _without_spelling(label: str) -> str:
    """A label without case, width, spaces and characters that show nothing."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    return "".join(
        char for char in folded if unicodedata.category(char)[0] not in "CZ" and char != "\ufe0f"
    )


def _written_out(rows_of_label: Counter[str]) -> Iterator[str]:
    for label, rows in sorted(rows_of_label.items()):
        if label.lower() in MISSING:
            yield (
                f"the label {label!r} of {_rows(rows)} looks like a missing value; it is learnt "
                "as a label. Leave the cell empty where a row is not labelled"
            )


def _joined(rows_of_label: Counter[str]) -> Iterator[str]:
    """The separator that would split most of the labels into ones that stand alone elsewhere."""
    joined = {
        separator: [label for label in rows_of_label if _parts(label, separator, rows_of_label)]
        for separator in SEPARATORS
    }
    separator = max(SEPARATORS, key=lambda s: sum(rows_of_label[label] for label in joined[s]))
    if labels := joined[separator]:
        rows = sum(rows_of_label[label] for label in labels)
        yield (
            f"{_rows(rows)} with {_named(labels)} look like several labels joined by "
            f"{separator!r}, since the parts are labels themselves; if they are, write "
            f"separator = {_toml(separator)} into the [[task]]"
        )


def _lists(rows_of_label: Counter[str]) -> Iterator[str]:
    lists = [
        label
        for label in rows_of_label
        if BRACKETS.fullmatch(label)
        or any(_parts(label, separator, rows_of_label) for separator in LIST_SEPARATORS)
    ]
    if lists:
        rows = sum(rows_of_label[label] for label in lists)
        yield (
            f"{_rows(rows)} with {_named(lists)} look like lists; each is learnt as one label. "
            'If rows have several labels, give the task kind = "multi" and join them by |'
        )


def _empty_cells(cells: int) -> str:
    return (
        f"{cells} cells are empty and none is {NONE_APPLY}: an empty cell means not labelled, so "
        f"that no row tells when no label applies. Write {NONE_APPLY} into those that have none"
    )


def _parts(label: str, separator: str, labels: Collection[str]) -> bool:
    """Whether `separator` splits a label into several of `labels`."""
    parts = [part.strip() for part in label.split(separator)]
    return len(parts) > 1 and all(part in labels for part in parts)


def _named(labels: list[str]) -> str:
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return ", ".join(map(repr, labels[:SHOWN])) + more


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"


def _toml(text: str) -> str:
    return '"' + text.translate({9: "\\t", 10: "\\n", 92: "\\\\"}) + '"'
