"""Rows of every format: the same rows, the same lines, the same faults."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tables.reader import TableError, TableReader, TableRow, format_of
from tables.writer import compressed_for, csv_lines, json_lines

ROWS = [
    {"text": "honey, raw", "note": "two\nlines"},
    {"text": "crème", "note": ""},
    {"text": 'a "quote"', "note": "\u4e2d"},
    {"text": "one\rtwo", "note": "\r"},
    {"text": "three\r\nfour", "note": ""},
]


def read(path: Path) -> list[TableRow]:
    with TableReader(path) as reader:
        return list(reader)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "A.CSV"])
def test_what_was_written_is_read_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    header = [{"text": "text", "note": "note"}]
    is_csv = format_of(path) == ".csv"
    parts = [csv_lines(header, ["text", "note"])] if is_csv else []
    parts += [csv_lines([row], ["text", "note"]) if is_csv else json_lines([row]) for row in ROWS]
    path.write_bytes(b"".join(compressed_for(format_of(path), part) for part in parts))
    assert [row.fields for row in read(path)] == ROWS


def test_lines_of_csv_end_alike_and_only_what_needs_it_is_quoted() -> None:
    lines = csv_lines([{"a": "x\ry", "b": "z"}, {"a": "x", "b": "y z"}], ["a", "b"])
    assert lines == b'"x\ry","z"\nx,y z\n'


def test_lists_and_absent_values_have_one_form_in_csv() -> None:
    row = {"many": ["a", "b"], "none": [], "number": 1.5, "more": ["a", 1]}
    cells = csv_lines([row], ["many", "none", "absent", "number", "more"])
    assert cells == b'a|b,[],,1.5,"[""a"", 1]"\n'


def test_blank_lines_are_no_rows_and_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\ufeff{"text": "a"}\n\n{"text": "b"}\n', "utf-8")
    (tmp_path / "a.csv").write_text("\ufefftext\na\n\nb\n", "utf-8")
    expected = [(1, {"text": "a"}), (3, {"text": "b"})]
    assert [(row.line, row.fields) for row in read(tmp_path / "a.jsonl")] == expected
    assert [(row.line - 1, row.fields) for row in read(tmp_path / "a.csv")] == expected


def test_a_bad_row_says_why_and_the_next_one_is_read(tmp_path: Path) -> None:
    lines = [b"{", b"[1]", b'{"a": "\xff"}', b"[" * 100_000, b'{"a": 1}']
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    *bad, last = read(tmp_path / "a.jsonl")
    assert [(row.problem or "").partition(" (")[0] for row in bad] == [
        "not JSON",
        "not a JSON object; give one per line",
        "not UTF-8",
        "not JSON",
    ]
    assert (last.line, last.fields) == (5, {"a": 1})
    (tmp_path / "a.csv").write_bytes(b"a,b\n1\n1,2,3\n\xff,2\n1,2\n")
    *bad, last = read(tmp_path / "a.csv")
    assert [row.problem for row in bad] == [
        "1 cells, the first line names 2 columns; quote cells that hold a comma",
        "3 cells, the first line names 2 columns; quote cells that hold a comma",
        "not UTF-8 (likely windows-1252); save the file as UTF-8",
    ]
    assert (last.line, last.fields) == (5, {"a": "1", "b": "2"})


def test_a_quote_that_is_never_closed_is_a_fault_and_not_a_huge_cell(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a\nx\n"' + "y" * 2**24 + "\nz\n")
    first, second, *_ = read(tmp_path / "a.csv")
    assert first.fields == {"a": "x"}
    reason = "not CSV (field larger than field limit (16777216)) in the row that begins in line 3"
    assert second.problem == f"{reason}; close each quoted cell, and double the quotes within"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", r"a\.txt: the name must end in one of \.jsonl, \.json, \.csv"),
        ("a.csv", b"", r"a\.csv: the file is empty; its first line must name the columns"),
        ("a.csv", b"a,b,a\n", r"a\.csv: the first line names a twice; rename one"),
        ("a.csv", b"\xff\n", r"a\.csv: line 1 is not UTF-8 \(likely windows-1252\); save the"),
        ("a.jsonl.gz", b"no gzip", r"a\.jsonl\.gz: not a whole gzip file \(Not a gzipped"),
        (
            "a.jsonl.gz",
            gzip.compress(b"{}\n", mtime=0)[:-9],
            "not a whole gzip file .*; make it anew",
        ),
    ],
)
def test_an_unusable_file_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=message):
        read(tmp_path / name)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no\.csv: No such file or directory; give the path"):
        TableReader(tmp_path / "no.csv")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(TableError, match=r"folder\.jsonl: Is a directory; give the path"):
        TableReader(tmp_path / "folder.jsonl")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv"])
def test_progress_is_known_in_bytes_of_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    lines = "".join(json.dumps({"a": place}) + "\n" for place in range(100))
    path.write_bytes(
        compressed_for(format_of(path), b"a\n1\n" if "csv" in name else lines.encode())
    )
    with TableReader(path) as reader:
        assert reader.total_bytes == path.stat().st_size
        list(reader)
        assert reader.read_bytes == reader.total_bytes
