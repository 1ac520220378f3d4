"""Tables as other programs export them, given to a recipe."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tables.labels import parse_labels
from tests.bigquery_standin import StoredTable, bigquery_standin
from training.examine import examine
from training.judge.judged import judge_answers, metrics_of
from training.recipe import Recipe, RecipeError, read_recipe
from training.rows.data_files import DataError, DataFileRows, recipe_columns
from training.rows.table import Table, read_table

ROOT = Path(__file__).resolve().parents[3]
TASK = '[[task]]\nname = "label"\nkind = "single"\n'


def recipe_of(folder: Path, *files: str, data: str = "", task: str = TASK) -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(f"[data]\nfiles = {json.dumps(files)}\n{data}\n{task}")
    return read_recipe(path)


def texts(count: int = 40) -> list[str]:
    return [f"text {chr(97 + place // 26)}{chr(97 + place % 26)}" for place in range(count)]


def notes(table: Table, folder: Path) -> list[str]:
    return [note.removeprefix(f"{folder}/") for note in table.notes]


def test_a_spreadsheets_export_goes_in_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{text}, with comma;{'ab'[place % 2]};;" for place, text in enumerate(texts())]
    lines = ["sep=;", "Text ;LABEL;;", *rows, ";;;", ";;;", ""]
    (tmp_path / "a.csv").write_bytes("\r\n".join(lines).encode("utf-16"))
    recipe = recipe_of(tmp_path, "a.csv")
    assert examine(recipe) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert [line.partition("a.csv: ")[2] for line in lines if "a.csv: " in line] == [
        "its encoding is UTF-16",
        "the delimiter is a semicolon",
        "2 empty rows skipped",
        "column 'Text ' is read as 'text'",
        "column 'LABEL' is read as 'label'",
    ]
    table = read_table(recipe)
    assert Counter(str(*row.targets[0] or ()) for row in table.rows) == {"a": 20, "b": 20}


def test_the_export_in_the_docs_is_read_as_they_say(tmp_path: Path) -> None:
    section = (ROOT / "docs" / "train.md").read_text("utf-8").partition("## The table as you")[2]
    export, shown = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)[:2]
    (tmp_path / "export.csv").write_text(textwrap.dedent(export))
    (tmp_path / "export.toml").write_text(re.findall(r"```toml\n(.*?)```", section, re.DOTALL)[0])
    recipe = read_recipe(tmp_path / "export.toml")
    file = DataFileRows(tmp_path / "export.csv", recipe_columns(recipe))
    rows = [row.fields or {} for row in file]
    assert [row["topic"] for row in rows] == ["billing", "delivery"]
    separator = recipe.tasks[1].separator or ""
    assert parse_labels(rows[0]["products"], "multi", separator) == frozenset(["card", "app"])
    lines = [line.strip().removeprefix("note: ") for line in shown.splitlines()]
    assert [note.removeprefix(f"{tmp_path}/") for note in file.notes] == lines


def test_whole_numbers_are_one_label_in_every_format(tmp_path: Path) -> None:
    names = texts(60)
    lines = [f"{text},{place % 3}" for place, text in enumerate(names[:20])]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *lines]))
    lines = [f"{text},{place % 3}.0" for place, text in enumerate(names[20:40])]
    (tmp_path / "b.csv").write_text("\n".join(["text,label", *lines]))
    typed: list[Any] = [0, 1.0, "2"]
    objects = [{"text": text, "label": typed[place % 3]} for place, text in enumerate(names[40:])]
    (tmp_path / "c.json").write_text(json.dumps(objects))
    assert read_table(recipe_of(tmp_path, "a.csv", "b.csv", "c.json")).tasks[0].labels == (
        "0", "1", "2",
    )  # fmt: skip


def test_only_an_empty_cell_and_no_number_are_not_labelled(tmp_path: Path) -> None:
    rows: list[Any] = [{"text": text, "label": "a"} for text in texts()]
    rows += [{"text": "null", "label": None}, {"text": "number", "label": float("nan")}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "b.csv").write_text("text,label\nempty,\nword,nan\nwords,N/A\n")
    table = read_table(recipe_of(tmp_path, "a.jsonl", "b.csv"))
    assert {row.text for row in table.transfer} == {"null", "number", "empty"}
    assert table.tasks[0].labels == ("N/A", "a", "nan")


def test_a_missing_column_is_one_fault_of_each_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("txt,label\n" + "x,a\n" * 20)
    (tmp_path / "b.jsonl").write_text('{"body": "x"}\n' * 20)
    with pytest.raises(DataError) as error:
        read_table(recipe_of(tmp_path, "a.csv", "b.jsonl"))
    assert str(error.value).splitlines() == [
        "the data has faults:",
        f"  {tmp_path}/a.csv: no column 'text' among 'txt', 'label'; did you mean 'txt'?",
        f"  {tmp_path}/b.jsonl: no column 'text' among 'body'",
    ]


def test_a_column_that_one_file_has_misspelt_is_told(tmp_path: Path) -> None:
    lines = "".join(f"{text},{'ab'[place % 2]}\n" for place, text in enumerate(texts()))
    (tmp_path / "a.csv").write_text(f"text,label\n{lines}")
    (tmp_path / "b.csv").write_text("text,lable\nmore,a\n")
    (tmp_path / "c.csv").write_text("text,note\nonly text,x\n")
    table = read_table(recipe_of(tmp_path, "a.csv", "b.csv", "c.csv"))
    assert notes(table, tmp_path) == [
        "b.csv: no column 'label' among 'text', 'lable'; did you mean 'lable'? "
        "Its rows are not labelled for task label"
    ]


def test_columns_that_no_file_has_are_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,lable\n" + "".join(f"{t},a\n" for t in texts()))
    near = "no column 'label' among 'text', 'lable'; did you mean 'lable'?"
    with pytest.raises(DataError, match=f"no row has a label in column 'label'; {near}"):
        read_table(recipe_of(tmp_path, "a.csv"))
    task = TASK.replace('name = "label"', 'name = "label"\ncolumn = "lable"')
    message = "group: no file has a column 'lables': .*; did you mean 'lable'"
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, "a.csv", data='group = "lables"', task=task))


def test_a_slice_column_may_mix_numbers_and_strings(tmp_path: Path) -> None:
    values: list[Any] = [1, 1.0, "1", "web", 2.5, None, float("nan")]
    rows = [
        {"text": text, "label": "ab"[place % 2], "part": values[place % 7], "split": split}
        for split in ("train", "validation", "test")
        for place, text in enumerate(f"{split} {word}" for word in texts(210))
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    table = read_table(recipe_of(tmp_path, "a.jsonl", data='slice = "part"'))
    test = table.split("test")
    assert Counter(row.slice for row in test) == {"1": 90, "web": 30, "2.5": 30, None: 60}
    answers = np.ones((len(test), table.heads.width), np.bool_)
    metrics = metrics_of(judge_answers(table, test, answers), test)
    assert list(metrics["slices"]) == ["1", "2.5", "web"]


def test_groups_slices_and_splits_have_the_form_of_labels(tmp_path: Path) -> None:
    lines = ["text,label,split,part,source"]
    for split in ("train", "validation", "test"):
        for place, name in enumerate(("17.0", "17", " 17 ", "acme", " acme")):
            label, word = "ab"[place % 2], chr(97 + place)
            lines.append(f"{split} {word},{label}, {split},{name},{split} {name}")
    (tmp_path / "a.csv").write_text("\n".join(lines))
    data = 'slice = "part"\ngroup = "source"'
    table = read_table(recipe_of(tmp_path, "a.csv", data=data))
    assert Counter(row.slice for row in table.split("test")) == {"17": 3, "acme": 2}
    lines[1] = lines[1].replace("train 17.0", " acme")
    lines[-1] = lines[-1].replace("test  acme", "acme")
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match="'group:acme' is in split 'test' here and in 'train'"):
        read_table(recipe_of(tmp_path, "a.csv", data=data))


@pytest.mark.parametrize("column", ["split", "part", "source"])
def test_a_list_is_no_name_of_a_split_slice_or_group(tmp_path: Path, column: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "x", "label": "a", column: ["b"]}))
    data = 'slice = "part"\ngroup = "source"'
    message = rf"a\.jsonl:1: column '{column}' has \['b'\]; give a string or a number"
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, "a.jsonl", data=data))


MARKS = '[[task]]\nname = "kind"\nkind = "multi"\ncolumns = ["toxic", "rude", "odd"]\n'


def test_columns_of_marks_are_one_multi_label_task(tmp_path: Path) -> None:
    cells = ["1,0", "0,1.0", "1,1", "0,0", ","]
    lines = [f"{text},{cells[place % 5]},0" for place, text in enumerate(texts(50))]
    lines = [line.replace(",,,0", ",,,") for line in lines]
    (tmp_path / "a.csv").write_text("\n".join(["text, Toxic,rude,odd", *lines]))
    table = read_table(recipe_of(tmp_path, "a.csv", task=MARKS))
    targets = {row.text: row.targets[0] for row in table.rows}
    assert [targets[text] for text in texts(5)] == [
        {"toxic"},
        {"rude"},
        {"toxic", "rude"},
        set(),
        None,
    ]
    assert table.tasks[0].labels == ("rude", "toxic")
    assert notes(table, tmp_path)[1:] == [
        "task kind: no row has 1 in column 'odd': no label of the bundle"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "text,toxic,rude,odd\nx,1,2,0\n",
            r"a\.csv:2: task 'kind' has '2' in column 'rude'; give",
        ),
        (
            "text,toxic,rude,odd\nx,1,,0\n",
            r"a\.csv:2: task 'kind' has '' in column 'rude'; give",
        ),
        (
            "text,toxic,odd\nx,1,0\ny,1,0\n",
            r"a\.csv: no column 'rude' among 'text', 'toxic', 'o",
        ),
    ],
)
def test_other_marks_are_faults(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_table(recipe_of(tmp_path, "a.csv", task=MARKS))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('kind = "single"\nseparator = ";"', "t separator: a single-label task has one label in"),
        ('kind = "single"\ncolumns = ["a"]', "t columns: a single-label task has one label in one"),
        ('kind = "multi"\ncolumns = ["a"]\ncolumn = "b"', "columns: .* neither `column` nor `sep"),
        ('kind = "multi"\ncolumns = ["a"]\nseparator = ";"', "columns: .* nor `separator`; remove"),
        ('kind = "multi"\nseparator = ""', "separator: ''; give a string that is not empty"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_of(tmp_path, "a.csv", task=f'[[task]]\nname = "t"\n{keys}\n')


def test_a_recipe_reads_a_table_of_bigquery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [{"name": "Text", "type": "STRING"}, {"name": "label", "type": "INT64"}]
    rows: list[list[Any]] = [[text, str(place % 2)] for place, text in enumerate(texts())]
    with bigquery_standin() as standin:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", standin.host)
        standin.tables["p.d.t"] = StoredTable(columns, [*rows, ["unlabelled", None]])
        table = read_table(recipe_of(tmp_path, "bq://p.d.t"))
    assert Counter(str(*row.targets[0] or ()) for row in table.rows) == {"0": 20, "1": 20, "": 1}
    assert table.rows[2].place == "bq://p.d.t:3"
    assert table.notes == ("bq://p.d.t: column 'Text' is read as 'text'",)
