"""What is in the data, before hours go into it? Counts, faults and the time a run will take.

Warnings name tasks, labels and lines; only what makes a run impossible is an error.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from model.encoding import encode
from model.heads import Head
from tables.text import aligned
from training.base import check_size, resolve_base
from training.fit.run_time import estimated_minutes
from training.fit.schedule import is_short_of_text
from training.fit.vocabulary import token_limit, whole_vocabulary
from training.judge.behind import FEW_EXAMPLES
from training.judge.intervals import CLAIM, about, rows_to_claim, wilson
from training.judge.metrics import FEW_ROWS
from training.recipe import SPLITS, Recipe
from training.rows.coverage import SAMPLE, Coverage, coverage
from training.rows.label_warnings import label_warnings
from training.rows.splits import group_key, normalise
from training.rows.table import Row, Table, read_table
from training.rows.truncation import truncation, truncation_line
from training.rows.unlabelled import read_texts

EXPECTED = 0.9  # a headline that many tasks have
LARGE_GROUP = 0.1  # of the rows
LOPSIDED = 0.95  # share of one label above which a task is called lopsided
SHOWN_LABELS = 20  # per task, most frequent first
SHOWN_EXAMPLES = 3  # per warning
SHOWN_CHARS = 40  # of a text
LACKS = {
    "validation": "settings are chosen without them",
    "test": "how well they are answered is not measured",
}
ONE_GROUP = "differ only in numbers, case or punctuation"
REMEDY = "add rows of them, or give every row a split"


def examine(recipe: Recipe) -> int:
    """Print the report. Returns the exit status: 0, with warnings too."""
    table = read_table(recipe)
    rows = Counter(row.split or "unlabelled" for row in table.rows)
    print(", ".join(f"{rows[name]} {name}" for name in (*SPLITS, "unlabelled") if rows[name]))
    for line in (*table.notes, *_text_to_add(table)):
        print(f"note: {line}")
    for line in _label_counts(table):
        print(line)
    read, pretrain_tokens = read_by_base(recipe, table), 0.0
    part_read = recipe.data.long_texts
    cut = truncation(base_tokenizer(recipe), table, read.limit, part_read)
    print(f"\n{truncation_line(cut)}")
    if recipe.pretrain is not None:
        texts = read_texts(recipe.pretrain.files, table)
        read_to_guess = coverage(base_tokenizer(recipe), texts, recipe.pretrain.max_tokens)
        pretrain_tokens = read_to_guess.read_per_text * len(texts)
    for line in (*warnings(table), *read.problems()):
        print(f"warning: {line}")
    minutes = estimated_minutes(recipe, table, read, pretrain_tokens)
    print(f"a run will take about {minutes:.0f} minutes on this machine")
    return 0


def _text_to_add(table: Table) -> Iterator[str]:
    rows, unlabelled = len(table.split("train")), len(table.transfer)
    if is_short_of_text(rows, unlabelled):
        yield (
            f"{rows} rows train: more texts without labels may help "
            f"({unlabelled or 'none'} so far); put thousands into the table, their label cells "
            "empty"
        )


def base_tokenizer(recipe: Recipe) -> Tokenizer:
    return Tokenizer.from_str(whole_vocabulary(resolve_base(recipe.base)).tokenizer)


def read_by_base(recipe: Recipe, table: Table) -> Coverage:
    """What of the texts the base reads; raises RecipeError where it is too small for the recipe."""
    tokenizer = base_tokenizer(recipe)
    texts = [row.text for row in (*table.split("train"), *table.transfer)]
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    limit = token_limit(recipe, [len(row) for row in encode(tokenizer, sample, sys.maxsize).ids])
    check_size(resolve_base(recipe.base), recipe.student, limit)
    return coverage(tokenizer, [row.text for row in table.rows], limit)


def _label_counts(table: Table) -> Iterator[str]:
    for index, head in enumerate(table.heads):
        counts = [_count(table.split(name), index) for name in SPLITS]
        total = sum(counts, Counter[str]())
        labelled = sum(row.targets[index] is not None for row in table.rows)
        yield f"\n{head.name} ({head.kind}): {len(head.labels)} labels on {labelled} rows"
        shown = [label for label, _ in total.most_common(SHOWN_LABELS)]
        lines = [[label, *(str(count[label]) for count in counts)] for label in shown]
        yield from (f"  {line}" for line in aligned([["label", *SPLITS], *lines]))
        if len(head.labels) > SHOWN_LABELS:
            hidden = len(head.labels) - SHOWN_LABELS
            yield f"  and {hidden} more, down to {min(total.values())} rows"


def _count(rows: list[Row], index: int) -> Counter[str]:
    return Counter(label for row in rows for label in row.targets[index] or ())


def warnings(table: Table) -> Iterator[str]:
    """Sentences on what will hurt: odd or rare labels, few rows, conflicts, leakage."""
    yield from label_warnings(table)
    yield from _weak_tasks(table)
    if table.numbered:
        yield f"most texts {ONE_GROUP}: each is taken as a group of its own"
    yield from _large_groups(table)
    rows_of_text: dict[str, list[Row]] = defaultdict(list)
    rows_of_key: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        if row.labelled:  # text without labels may be repeated, as to_label.csv does
            rows_of_text[normalise(row.text)].append(row)
        rows_of_key[group_key(row.text)].append(row)
    problems: list[tuple[str, dict[str, list[Row]], Callable[[list[Row]], bool]]] = [
        (
            "texts occur more than once with the same labels",
            rows_of_text,
            lambda rows: len({row.targets for row in rows}) < len(rows),
        ),
        (
            "texts occur more than once with labels that contradict each other",
            rows_of_text,
            _conflicts,
        ),
        (
            "texts occur in more than one split (numbers, case and punctuation aside), so that "
            "training sees what judges it",
            rows_of_key,
            lambda rows: len({row.split for row in rows if row.split}) > 1,
        ),
    ]
    for problem, rows_by_name, has_problem in problems:
        repeated = (rows for rows in rows_by_name.values() if len(rows) > 1)
        if cases := list(filter(has_problem, repeated)):
            examples = "; ".join(map(_example, cases[:SHOWN_EXAMPLES]))
            yield f"{len(cases)} {problem}: {examples}"


def _weak_tasks(table: Table) -> Iterator[str]:
    for index, head in enumerate(table.heads):
        labelled: dict[str, list[Row]] = {
            split: [row for row in table.split(split) if row.targets[index] is not None]
            for split in SPLITS
        }
        if not labelled["train"]:
            yield f"task {head.name}: no training row is labelled; nothing can be learnt"
            continue
        counts = {split: _count(rows, index) for split, rows in labelled.items()}
        for problem in (
            *_weak_labels(head.labels, counts["train"]),
            *_few_rows(labelled, counts, head.labels),
            *_lopsided(head, counts["train"], len(labelled["train"])),
        ):
            yield f"task {head.name}: {problem}"


def _weak_labels(labels: Sequence[str], train: Counter[str]) -> Iterator[str]:
    if never := [label for label in labels if not train[label]]:
        yield f"never in training: {_listed(never)}; {REMEDY}"
    if once := [label for label in labels if train[label] == 1]:
        yield f"only one training example: {_listed(once)}"
    if few := [label for label in labels if 1 < train[label] < FEW_EXAMPLES]:
        yield f"fewer than {FEW_EXAMPLES} training examples: {_listed(few)}"


def _few_rows(
    labelled: Mapping[str, list[Row]], counts: Mapping[str, Counter[str]], labels: Sequence[str]
) -> Iterator[str]:
    """What the rows that choose and judge are too few for."""
    for split, lack in LACKS.items():
        if not labelled[split]:
            yield f"no {split} row is labelled; its figures will be missing"
        elif missing := [label for label in labels if not counts[split][label]]:
            yield f"no {split} row has {_listed(missing)}: {lack}; {REMEDY}"
    validation, test = len(labelled["validation"]), len(labelled["test"])
    if 0 < validation < FEW_ROWS:
        yield (
            f"{validation} validation rows, fewer than {FEW_ROWS}: scores are left as unsure as "
            "the network is, or made more so, and small losses of int8 do not show"
        )
    bounds = [100 * bound for bound in wilson(EXPECTED, test)] if test else None
    if bounds and (needed := rows_to_claim(test, bounds)):
        yield (
            f"{test} test rows: a figure of {EXPECTED:.0%} could be {bounds[0]:.0f} to "
            f"{bounds[1]:.0f} %; about {about(needed)} would tell it to within {CLAIM:g} points"
        )


def _lopsided(task: Head, train: Counter[str], labelled: int) -> Iterator[str]:
    if not train:
        return
    label, most = train.most_common(1)[0]
    if len(task.labels) == 1 and task.kind == "single":
        yield f"has the one label {label!r}; every answer will be it"
    elif most > LOPSIDED * labelled:
        yield f"lopsided, {100 * most / labelled:.1f} % of rows are {label!r}"


def _large_groups(table: Table) -> Iterator[str]:
    rows_of_group: dict[str, list[Row]] = defaultdict(list)
    labelled = [row for row in table.rows if row.split]
    for row in labelled:
        rows_of_group[row.group].append(row)
    for group, rows in rows_of_group.items():
        share, splits = len(rows) / len(labelled), {row.split for row in rows}
        texts = {normalise(row.text) for row in rows}
        if share > LARGE_GROUP and len(splits) == 1 and len(texts) > 1:
            named = group.startswith("group:")
            yield (
                f"one group has {share:.0%} of the rows, all in the {rows[0].split} split: "
                f"{_example(rows)}"
                + (
                    ""
                    if named
                    else f". Its texts {ONE_GROUP}; a [data] group column says otherwise"
                )
            )


def _example(rows: list[Row]) -> str:
    """The text of one case, and where it stands."""
    of_splits = list({row.split: row for row in rows}.values())
    shown_rows = of_splits if len(of_splits) > 1 else rows
    places = (row.place.rpartition(":") for row in shown_rows[:2])
    shown = " and ".join(f"{Path(path).name}:{line}" for path, _, line in places)
    return f"{rows[0].text[:SHOWN_CHARS]!r} at {shown}"


def _conflicts(rows: list[Row]) -> bool:
    """Whether two rows answer the same task differently; different tasks do not conflict."""
    return any(
        len({target for target in targets if target is not None}) > 1
        for targets in zip(*(row.targets for row in rows), strict=True)
    )


def _listed(labels: list[str]) -> str:
    more = f" and {len(labels) - SHOWN_LABELS} more" if len(labels) > SHOWN_LABELS else ""
    return ", ".join(map(repr, labels[:SHOWN_LABELS])) + more
