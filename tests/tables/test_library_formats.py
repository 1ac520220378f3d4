"""Parquet, Excel and saved datasets give the rows that text formats give."""

from __future__ import annotations

import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from tables.parquet import write_parquet
from tables.reader import TableError, TableReader, TableRow

ROWS: list[dict[str, Any]] = [
    {"text": "crème; brûlée", "label": "a", "n": 1},
    {"text": "\u4e2d\u6587", "label": None, "n": 2},
]
CLASSES = {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}


def read(path: Path) -> tuple[list[TableRow], list[str]]:
    """The rows, and the notes without the path."""
    with TableReader(path) as reader:
        rows = list(reader)
        assert reader.read_bytes == reader.total_bytes
        return rows, [note.removeprefix(f"{path}: ") for note in reader.notes]


def workbook(path: Path, rows: list[list[Any]], *more_sheets: str) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    for title in more_sheets:
        book.create_sheet(title)
    book.save(path)
    return path


def test_parquet_is_read_as_json_would_be(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    rows, notes = read(tmp_path / "a.parquet")
    assert [(row.line, row.fields) for row in rows] == list(enumerate(ROWS, 1))
    assert notes == []


def test_values_that_only_parquet_has_become_plain(tmp_path: Path) -> None:
    row = {
        "number": float("nan"),
        "price": Decimal("1.50"),
        "count": Decimal("3"),
        "day": date(2026, 1, 2),
        "bytes": "né".encode(),
        "tags": [1.0, float("nan")],
        "more": {"a": date(2026, 1, 2)},
    }
    pa.parquet.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    only = read(tmp_path / "a.parquet")[0][0]
    assert only.fields == {
        "number": None,
        "price": 1.5,
        "count": 3,
        "day": "2026-01-02",
        "bytes": "né",
        "tags": [1.0, None],
        "more": {"a": "2026-01-02"},
    }
    json.dumps(only.fields, allow_nan=False)


def test_rows_without_a_value_are_skipped_and_counted_in_every_format(tmp_path: Path) -> None:
    rows: list[Any] = [{"text": "a", "n": 1}, {"text": None, "n": None}, {"text": "b", "n": 2}]
    pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    workbook(tmp_path / "a.xlsx", [["text", "n"], ["a", 1], [None, " "], ["b", 2], []])
    for name, lines in (("a.parquet", [1, 3]), ("a.xlsx", [2, 4])):
        read_rows, notes = read(tmp_path / name)
        assert [row.line for row in read_rows] == lines
        assert [row.fields for row in read_rows] == [rows[0], rows[2]]
        assert notes == ["1 empty row skipped"]


def test_excel_is_read_from_its_first_sheet(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [None, None],
        ["text", "label", None],
        *([r["text"], r["label"]] for r in ROWS),
    ]
    rows += [["x", date(2026, 1, 2)], ["y", True], ["z", "a", "beyond"]]
    path = workbook(tmp_path / "a.xlsx", rows, "Notes")
    *good, bad = read(path)[0]
    assert [(row.line, row.fields) for row in good] == [
        (3, {"text": ROWS[0]["text"], "label": "a"}),
        (4, {"text": ROWS[1]["text"], "label": None}),
        (5, {"text": "x", "label": "2026-01-02T00:00:00"}),
        (6, {"text": "y", "label": True}),
    ]
    counts = "3 cells, the first row names 2 columns"
    assert (bad.line, bad.problem) == (7, f"{counts}; name the others, or empty them")
    assert read(path)[1] == ["of its 2 sheets the first is read, 'Sheet'"]


def saved(folder: Path, rows: list[dict[str, Any]], features: dict[str, Any]) -> None:
    """A folder as `Dataset.save_to_disk` of datasets 5.2.0 writes it, in two Arrow files."""
    folder.mkdir(parents=True)
    names = [f"data-0000{place}-of-00002.arrow" for place in range(2)]
    for name, part in zip(names, (rows[:1], rows[1:]), strict=True):
        table = pa.Table.from_pylist(part)
        with pa.ipc.new_stream(folder / name, table.schema) as stream:
            stream.write_table(table)
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    state = {"_data_files": [{"filename": name} for name in names], "_split": None}
    (folder / "state.json").write_text(json.dumps(state))


def test_a_saved_dataset_gives_names_for_numbers_of_classes(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": 1, "tags": [0, 1]}, {"text": "b", "label": -1, "tags": []}]
    list_of = {"feature": CLASSES["label"], "_type": "List"}
    saved(tmp_path / "d", rows, {"text": {"_type": "Value"}, **CLASSES, "tags": list_of})
    read_rows, notes = read_folder(tmp_path / "d")
    assert [row.fields for row in read_rows] == [
        {"text": "a", "label": "good", "tags": ["bad", "good"]},
        {"text": "b", "label": None, "tags": []},
    ]
    assert [row.line for row in read_rows] == [1, 2]
    assert notes == [f"numbers in column {name!r} are read as names" for name in ("label", "tags")]


def read_folder(path: Path) -> tuple[list[TableRow], list[str]]:
    with TableReader(path) as reader:
        rows = list(reader)
        assert 0 < reader.read_bytes <= reader.total_bytes
        return rows, [note.removeprefix(f"{path}: ") for note in reader.notes]


def test_the_parts_of_a_saved_dataset_are_splits(tmp_path: Path) -> None:
    parts = {"train": 1, "test": 0, "unsupervised": -1}
    for name, label in parts.items():
        rows = [{"text": f"{name} {place}", "label": label} for place in range(2)]
        saved(tmp_path / "d" / name, rows, {"text": {"_type": "Value"}, **CLASSES})
    (tmp_path / "d" / "dataset_dict.json").write_text(json.dumps({"splits": list(parts)}))
    read_rows, notes = read_folder(tmp_path / "d")
    assert [row.fields for row in read_rows][::2] == [
        {"split": "train", "text": "train 0", "label": "good"},
        {"split": "test", "text": "test 0", "label": "bad"},
        {"split": None, "text": "unsupervised 0", "label": None},
    ]
    assert notes[1] == "its part 'unsupervised' is no split: its rows have none"


def test_parquet_that_datasets_wrote_gives_names_for_numbers_of_classes(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"text": "a", "label": 1}])
    metadata = {"huggingface": json.dumps({"info": {"features": CLASSES}})}
    pa.parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "a.parquet")
    only = read(tmp_path / "a.parquet")[0][0]
    assert only.fields == {"text": "a", "label": "good"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.parquet", "not a whole Parquet file .*; make it anew"),
        ("a.xlsx", "not an Excel workbook .*; save it as .xlsx"),
    ],
)
def test_a_damaged_file_says_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(TableError, match=rf"{name}: {message}"):
        read(tmp_path / name)
    with pytest.raises(TableError, match=r"No such file or directory; give the path of a table"):
        read(tmp_path / f"none.{name}")


def test_a_damaged_folder_says_what_to_do(tmp_path: Path) -> None:
    saved(tmp_path / "d", [{"text": "a"}, {"text": "b"}], {"text": {"_type": "Value"}})
    second = tmp_path / "d" / "data-00001-of-00002.arrow"
    second.write_bytes(b"damaged")
    with pytest.raises(TableError, match=r"d: data-00001-of-00002\.arrow after row 1: .*; save it"):
        read_folder(tmp_path / "d")
    (tmp_path / "d" / "state.json").unlink()
    with pytest.raises(TableError, match=r"d: not a whole saved dataset .*; save it anew"):
        read_folder(tmp_path / "d")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TableError, match="empty: a folder, but none that `save_to_disk` of"):
        read_folder(tmp_path / "empty")


@pytest.mark.parametrize(("name", "library"), [("a.parquet", "pyarrow"), ("a.xlsx", "openpyxl")])
def test_a_missing_library_names_the_file_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    for module in [library, *(m for m in sys.modules if m.startswith(f"{library}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).touch()
    message = f"this format needs {library}; install it: pip install -r requirements-tables.txt"
    with pytest.raises(TableError, match=message):
        TableReader(tmp_path / name)


def test_lines_become_parquet_with_a_type_for_each_column(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "a", "n": 1, "mixed": 1, "tags": ["x"], "none": None, "empty": {}},
        {"text": "half \ud800", "n": 2.5, "mixed": "b", "tags": [], "none": None, "late": True},
    ]
    (tmp_path / "lines").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_parquet(tmp_path / "lines", tmp_path / "a.parquet", ["text", "absent"])
    table = pa.parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names[:3] == ["text", "absent", "n"]
    assert table.to_pylist() == [
        {"text": "a", "absent": None, "n": 1.0, "mixed": "1", "tags": ["x"], "none": None,
         "empty": "{}", "late": None},
        {"text": "half ?", "absent": None, "n": 2.5, "mixed": "b", "tags": [], "none": None,
         "empty": None, "late": True},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "later", "text"),
    [
        (2**64 - 1, 1, str(2**64 - 1)),
        (1, 2**63, "1"),
        (2**53 + 1, 0.5, str(2**53 + 1)),
        (0.5, 2**53 + 1, "0.5"),
        ([2**53 + 1], [0.5], f"[{2**53 + 1}]"),
        ([{}], None, "[{}]"),
        ({"a": [{}]}, {"a": [{"b": 1}]}, '{"a": [{}]}'),
    ],
)
def test_what_no_column_of_numbers_or_objects_holds_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Any, later: Any, text: str
) -> None:
    monkeypatch.setattr("tables.parquet.WRITE_ROWS", 1)
    rows = [{"id": first, "n": 2**53 + 1}, {"id": later, "n": 2}]
    (tmp_path / "lines").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_parquet(tmp_path / "lines", tmp_path / "a.parquet", [])
    written = pa.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["id"] for row in written] == [text, None if later is None else json.dumps(later)]
    assert [row["n"] for row in written] == [2**53 + 1, 2]
