"""A quote that opens a cell and does not close it never makes rows disappear without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tables.delimiter import find_delimiter
from tables.reader import TableReader

UNQUOTED = 'text\tlabel\n"I hate this\tneg\nfine one\tpos\n\nNice "movie" here\tpos\nlast"\tneg\n'


def read(path: Path, content: str) -> tuple[list[list[str]], list[str], list[str]]:
    """Cells of the rows, faults and notes."""
    path.write_text(content)
    with TableReader(path) as reader:
        rows = list(reader)
        cells = [list(row.fields.values()) for row in rows if row.fields]
        notes = [note.removeprefix(f"{path}: ") for note in reader.notes]
    return cells, [row.problem for row in rows if row.problem], notes


@pytest.mark.parametrize("sep", ["", "sep=\\t\n"])
def test_tabs_without_quoting_are_read_so_where_each_line_fits(tmp_path: Path, sep: str) -> None:
    cells, faults, notes = read(tmp_path / "a.tsv", sep + UNQUOTED)
    assert cells == [
        ['"I hate this', "neg"],
        ["fine one", "pos"],
        ['Nice "movie" here', "pos"],
        ['last"', "neg"],
    ]
    assert faults == []
    assert notes == [
        "its cells are not quoted: quotes are read as part of the text",
        "1 empty row skipped",
    ]


@pytest.mark.parametrize(
    "content",
    [
        UNQUOTED + "one\tmore\tcell\n",
        UNQUOTED + '"a ""quoted"" cell"\tpos\n',
        UNQUOTED.replace("text", '"text"', 1),
        UNQUOTED.replace("\t", ","),
    ],
)
def test_elsewhere_an_open_quote_is_a_fault_with_the_line_where_its_row_begins(
    tmp_path: Path, content: str
) -> None:
    _, faults, _ = read(tmp_path / "a.tsv", content)
    assert "in the row that begins in line 2; close each quoted cell, and double" in faults[0]


def test_a_quote_that_swallows_the_rest_of_the_file_is_a_fault(tmp_path: Path) -> None:
    content = 'label,text\npos,"a\nb"\nneg,"5 inch screen\n' + "pos,fine\n" * 100
    cells, faults, _ = read(tmp_path / "a.csv", content)
    assert cells == [["pos", "a\nb"]]
    assert faults == [
        "not CSV (unexpected end of data) in the row that begins in line 4; close each quoted "
        "cell, and double the quotes within"
    ]


def test_quoted_tabs_and_lines_are_read_as_before(tmp_path: Path) -> None:
    content = 'text\tlabel\n"a\tb\nc"\tpos\n"say ""no"""\tneg\n5" disk\tpos\n'
    cells, faults, notes = read(tmp_path / "a.tsv", content)
    assert cells == [["a\tb\nc", "pos"], ['say "no"', "neg"], ['5" disk', "pos"]]
    assert faults == notes == []


def test_a_delimiter_with_which_rows_are_not_csv_does_not_fit() -> None:
    assert find_delimiter('a, b;label\n"x, y";pos\n"z";neg\n', ",") == ";"
