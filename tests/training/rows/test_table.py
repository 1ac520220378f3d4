"""Rows as people bring them: every format, every fault named with its file and line."""

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.recipe import Recipe, Ship, read_recipe
from training.rows.data_files import DataError
from training.rows.splits import normalise
from training.rows.table import Row, Table, read_table

RECIPE = """
[data]
files = [{files}]
{extra}
[[task]]
name = "kind"
kind = "single"
[[task]]
name = "tags"
kind = "multi"
"""


def recipe_of(folder: Path, *files: str, extra: str = "") -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(files=", ".join(f'"{name}"' for name in files), extra=extra))
    return read_recipe(path)


def many(count: int = 60, **more: Any) -> list[dict[str, Any]]:
    return [
        {"text": f"text {i}", "kind": "ab"[i % 2], "tags": ["x"] if i % 3 else [], **more}
        for i in range(count)
    ]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def summary(table: Table) -> list[tuple[str, Any]]:
    return sorted((row.text, row.targets) for row in table.rows)


def test_jsonl_gzip_and_csv_read_alike(tmp_path: Path) -> None:
    rows = many()
    write_jsonl(tmp_path / "a.jsonl", rows)
    write_jsonl(tmp_path / "a.jsonl.gz", rows)
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "kind", "tags"])
        writer.writerows([r["text"], r["kind"], "|".join(r["tags"]) or "[]"] for r in rows)
    tables = [
        summary(read_table(recipe_of(tmp_path, f"a.{e}"))) for e in ("jsonl", "jsonl.gz", "csv")
    ]
    assert tables[0] == tables[1] == tables[2]
    assert dict(tables[0])["text 0"] == (frozenset("a"), frozenset())


def test_three_single_task_tables_are_simply_concatenated(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": r["text"], "kind": r["kind"]} for r in many()])
    write_jsonl(tmp_path / "b.jsonl", [{"text": r["text"], "tags": r["tags"]} for r in many()])
    write_jsonl(tmp_path / "c.jsonl", [{"text": f"only text {i}"} for i in range(7)])
    table = read_table(recipe_of(tmp_path, "a.jsonl", "b.jsonl", "c.jsonl"))
    assert len(table.transfer) == 7
    splits: dict[str, set[str | None]] = {}
    for row in table.rows:
        splits.setdefault(row.text, set()).add(row.split)
    assert all(len(of_text) == 1 for of_text in splits.values()), "a text's two rows share a split"


def test_an_empty_cell_is_unlabelled_and_brackets_are_none_apply(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", many())
    (tmp_path / "b.csv").write_text('text,kind,tags\n"one",,[]\n"two",a,\n')
    by_text = {row.text: row for row in read_table(recipe_of(tmp_path, "a.jsonl", "b.csv")).rows}
    assert by_text["one"].targets == (None, frozenset())
    assert by_text["two"].targets == (frozenset("a"), None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "x", "kind": "a"', r"a.jsonl:61: not JSON"),
        ('["x"]', r"a.jsonl:61: not a JSON object"),
        (r'{"text": "\ud800", "kind": "a"}', r"a.jsonl:61: .* half a surrogate pair"),
        (r'{"text": "x", "kind": "a\ud800"}', r"a.jsonl:61: column 'kind' holds half a surrogate"),
        (r'{"text": "x", "tags": ["\udc00"]}', r"a.jsonl:61: column 'tags' holds half a surrogate"),
        (r'{"text": "x", "split": "\ud83d"}', r"a.jsonl:61: column 'split' holds half a surrogate"),
        ('{"text": "", "kind": "a"}', r"a.jsonl:61: column 'text' has ''; every row needs a text"),
        (r'{"text": "\u200b"}', r"a.jsonl:61: column 'text' has '\\u200b'; every row needs a text"),
        ('{"label": "a"}', r"a.jsonl:61: column 'text' is not among label"),
        ('{"text": "x", "kind": ["a"]}', r"a.jsonl:61: column 'kind' has \['a'\]; a single-label"),
        ('{"text": "x", "kind": {}}', r"a.jsonl:61: column 'kind' has \{\}; .* one string or"),
        ('{"text": "x", "tags": {"a": 1}}', r"a.jsonl:61: column 'tags' has"),
        ('{"text": "x", "kind": "a", "split": "dev"}', r"a.jsonl:61: column 'split' has 'dev'"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    write_jsonl(tmp_path / "a.jsonl", many())
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, "a.jsonl"))


def test_many_bad_rows_are_reported_together(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": ""} for _ in range(12)])
    with pytest.raises(DataError, match=r"(?s)a.jsonl:1:.*a.jsonl:10:.*and 2 more"):
        read_table(recipe_of(tmp_path, "a.jsonl"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "a.jsonl: empty"),
        ("a.csv", b"text,kind\n1,2,3\n", "a.csv:2: 3 cells, the first line names 2 columns; quote"),
        ("a.csv", b"text,kind,tags\nx,a\n", "a.csv:2: 2 cells, the first line names 3 columns"),
        (
            "a.csv",
            "text,kind\nx,é\n".encode("latin-1"),
            r"a.csv:2: not UTF-8 \(likely windows-1252\); save the file",
        ),
        ("a.jsonl.gz", b"not gzip", "a.jsonl.gz: not a whole gzip file"),
        ("a.txt", b"x", r"a.txt: the name must end in one of .jsonl, .json, .csv"),
        ("a.jsonl", b'{"text": "x"}\n', "no row has a label in any of the columns kind, tags"),
    ],
)
def test_an_unusable_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, name))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.csv: No such file or directory; give the path"):
        read_table(recipe_of(tmp_path, "none.csv"))


def test_a_task_without_labels_names_its_column(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": f"{i}", "kind": "a"} for i in range(30)])
    with pytest.raises(DataError, match="task 'tags': no row has a label in column 'tags'"):
        read_table(recipe_of(tmp_path, "a.jsonl"))


@pytest.mark.parametrize("keys", [{"catch_all": ("othr",)}, {"max_cost": {"othr": 1.0}}])
def test_a_label_to_find_that_no_row_has_is_refused(tmp_path: Path, keys: dict[str, Any]) -> None:
    write_jsonl(tmp_path / "a.jsonl", many(kind="other"))
    recipe = recipe_of(tmp_path, "a.jsonl")
    recipe = replace(recipe, tasks=tuple(replace(task, **keys) for task in recipe.tasks[:1]))
    with pytest.raises(DataError, match="no row has the label 'othr'; did you mean 'other'"):
        read_table(recipe)


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("part", "never_fitted: no test row has the slice 'by hnd'; did you mean 'by hand'"),
        (None, r"never_fitted: give \[data\] slice too"),
    ],
)
def test_a_slice_to_judge_that_no_test_row_has_is_refused(
    tmp_path: Path, column: str | None, problem: str
) -> None:
    rows = many(part="by hand")
    write_jsonl(tmp_path / "a.jsonl", rows)
    recipe = recipe_of(tmp_path, "a.jsonl")
    data, ship = replace(recipe.data, slice=column), Ship(never_fitted=("by hnd",))
    recipe = replace(recipe, data=data, ship=ship)
    with pytest.raises(DataError, match=problem):
        read_table(recipe)


def test_a_group_that_straddles_given_splits_is_refused(tmp_path: Path) -> None:
    rows = many(split="train")
    rows[0] |= {"split": "test", "entry": "e"}
    rows[1] |= {"entry": "e"}
    write_jsonl(tmp_path / "a.jsonl", rows)
    with pytest.raises(DataError, match="group 'group:e' is in split 'train' here and in 'test'"):
        read_table(recipe_of(tmp_path, "a.jsonl", extra='group = "entry"'))


def test_given_splits_stay_and_only_missing_ones_are_carved(tmp_path: Path) -> None:
    held_out = [{**row, "split": "test"} for row in many(20)]
    train = [{**row, "text": f"train {row['text']}", "split": "train"} for row in many(200)]
    write_jsonl(tmp_path / "a.jsonl", held_out + train)

    def texts(rows: list[Row]) -> set[str]:
        return {row.text for row in rows}

    table = read_table(recipe_of(tmp_path, "a.jsonl"))
    assert texts(table.split("test")) == {row["text"] for row in held_out}
    assert 15 <= len(table.split("validation")) <= 25
    again = read_table(recipe_of(tmp_path, "a.jsonl"))
    assert texts(again.split("validation")) == texts(table.split("validation"))


def test_why_a_split_has_no_rows_is_told_by_the_rows_that_it_could_have(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", many(20, split="test"))
    message = 'no rows left for the train split; no row has split "train" or none; give such rows'
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, "a.jsonl"))
    write_jsonl(tmp_path / "a.jsonl", [*many(20, split="test"), *many(3, text="one")])
    message = "for the validation split; 3 rows in 1 groups, of split train or none, are too few"
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, "a.jsonl"))


def test_a_misspelt_group_column_is_not_silently_ignored(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", many(entry="e"))
    with pytest.raises(DataError, match="group: no file has a column 'entries'"):
        read_table(recipe_of(tmp_path, "a.jsonl", extra='group = "entries"'))


def test_unlabelled_text_that_is_held_out_is_not_learnt_from(tmp_path: Path) -> None:
    rows = [{**row, "split": "train"} for row in many()]
    rows += [{**row, "text": f"held {row['text']}", "split": "test"} for row in many(10)]
    rows += [{"text": "HELD  text 1"}, {"text": "kept out", "split": "test"}, {"text": "free"}]
    write_jsonl(tmp_path / "a.jsonl", rows)
    assert [row.text for row in read_table(recipe_of(tmp_path, "a.jsonl")).transfer] == ["free"]


def test_unlabelled_text_is_learnt_from_once_and_not_where_it_has_labels_now(
    tmp_path: Path,
) -> None:
    rows = many()
    texts = ("free", "Free ", "new in the list", *(row["text"] for row in rows))
    unlabelled = [{"text": text} for text in texts]
    write_jsonl(tmp_path / "a.jsonl", [*rows, *unlabelled])
    (tmp_path / "to_label.csv").write_text("text,kind\nnew in the list,a\nfree,\n")
    transfer = read_table(recipe_of(tmp_path, "a.jsonl", "to_label.csv")).transfer
    assert [normalise(row.text) for row in transfer] == ["free"]


def test_many_different_combinations_of_labels_are_still_carved(tmp_path: Path) -> None:
    rows = [
        {"text": f"{i}", "kind": f"k{i % 7}", "tags": [f"t{i % 11}", f"t{i % 13}"]}
        for i in range(300)
    ]
    write_jsonl(tmp_path / "a.jsonl", rows)
    table = read_table(recipe_of(tmp_path, "a.jsonl"))
    assert 20 <= len(table.split("test")) <= 40


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,kind,kind\nx,a,b\n", "a.csv: the first line names kind twice; rename one"),
        ("text,kind,tags\nx,a,\"['p', 'q']\"\n", r"column 'tags' has .*joined by \|"),
    ],
)
def test_csv_that_would_be_misread_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, "a.csv"))
