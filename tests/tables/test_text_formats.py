"""Text tables as other programs export them: delimiters, encodings, JSON arrays, odd rows."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tables.delimiter import find_delimiter
from tables.encodings import likely_encoding
from tables.reader import TableError, TableReader, TableRow

ROWS = [{"text": "crème, brûlée; x", "label": "a"}, {"text": "\u4e2d\u6587", "label": "b"}]


def read(path: Path) -> tuple[list[TableRow], list[str]]:
    """The rows, and the notes without the path."""
    with TableReader(path) as reader:
        rows = list(reader)
        return rows, [note.removeprefix(f"{path}: ") for note in reader.notes]


def fields_of(path: Path) -> list[Any]:
    return [row.fields for row in read(path)[0]]


def with_delimiter(delimiter: str) -> str:
    lines = [["text", "label"], *([f'"{row["text"]}"', row["label"]] for row in ROWS)]
    return "".join(delimiter.join(cells) + "\r\n" for cells in lines)


@pytest.mark.parametrize(
    ("delimiter", "note"),
    [
        (",", []),
        (";", ["the delimiter is a semicolon"]),
        ("\t", ["the delimiter is a tab"]),
        ("|", ["the delimiter is a bar"]),
    ],
)
def test_the_delimiter_is_found_and_said(tmp_path: Path, delimiter: str, note: list[str]) -> None:
    (tmp_path / "a.csv").write_text(with_delimiter(delimiter), "utf-8")
    rows, notes = read(tmp_path / "a.csv")
    assert [row.fields for row in rows] == ROWS
    assert notes == note


def test_a_tsv_file_has_tabs_unless_its_rows_say_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(with_delimiter("\t"), "utf-8")
    assert (fields_of(tmp_path / "a.tsv"), read(tmp_path / "a.tsv")[1]) == (ROWS, [])
    (tmp_path / "b.tsv").write_text(with_delimiter(","), "utf-8")
    assert read(tmp_path / "b.tsv")[1] == ["the delimiter is a comma"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_sep_line_sets_the_delimiter_and_is_no_header(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.csv").write_text(f"\ufeff{line}\r\n{with_delimiter(';')}", "utf-8")
    rows, notes = read(tmp_path / "a.csv")
    assert [(row.line, row.fields) for row in rows] == list(zip((3, 4), ROWS, strict=True))
    assert notes == ["the delimiter is a semicolon"]
    (tmp_path / "odd.csv").write_text("sep=^\ntext^label\na^b\n")
    assert fields_of(tmp_path / "odd.csv") == [{"text": "a", "label": "b"}]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("text\nhoney; raw, cold\n", ","),
        ("text,label\na;b;c,d\ne;f;g,h\n", ","),
        ("text;label\n1,5 kg, fresh;a\nx;b\n", ";"),
        ("id;text, in full;label\n1;a;b\n2;c;d\n", ";"),
        ('text,label\n"a;b\nc;d",x\n"e",y\n', ","),
        ("text,tags\nx,a|b\ny,c|d\n", ","),
        ("text|tags\nx|a\n", "|"),
        ("", ","),
        ('text,label\n"never closed,a\n', ","),
    ],
)
def test_texts_with_other_delimiters_in_them_do_not_mislead(text: str, delimiter: str) -> None:
    assert find_delimiter(text, ",") == delimiter


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.gz", "a.jsonl.gz", "a.json.gz"])
def test_every_text_format_is_read_compressed(tmp_path: Path, name: str) -> None:
    content = {
        "csv": with_delimiter(","),
        "tsv": with_delimiter("\t"),
        "jsonl": "".join(json.dumps(row) + "\n" for row in ROWS),
        "json": json.dumps(ROWS),
    }[name.split(".")[1]]
    (tmp_path / name).write_bytes(gzip.compress(content.encode()))
    assert fields_of(tmp_path / name) == ROWS
    (tmp_path / name).write_bytes(gzip.compress(content.encode())[:-9])
    with pytest.raises(TableError, match=rf"{name}: not a whole gzip file .*; make it anew"):
        read(tmp_path / name)


MARKED = {
    "utf-8-sig": [],
    "utf-16": ["its encoding is UTF-16"],
    "utf-16-be": ["its encoding is UTF-16"],
}


@pytest.mark.parametrize(("encoding", "note"), MARKED.items())
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_a_byte_order_mark_tells_the_encoding(
    tmp_path: Path, encoding: str, note: list[str], name: str
) -> None:
    text = {
        "a.csv": with_delimiter(","),
        "a.jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS),
        "a.json": json.dumps(ROWS, ensure_ascii=False),
    }[name]
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    (tmp_path / name).write_bytes(mark + text.encode(encoding))
    rows, notes = read(tmp_path / name)
    assert [row.fields for row in rows] == ROWS
    assert notes[: len(note)] == note


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,b\n".encode("utf-16-le"), "line 1 is not UTF-8 .likely UTF-16 without a b"),
        ("text,label\na,b\n".encode("utf-32"), "line 1 is not UTF-8 .likely UTF-32.; save the"),
        ("té,label\na,b\n".encode("latin-1"), "line 1 is not UTF-8 .likely windows-1252.; save"),
        ("text\na\nb\n".encode("utf-16")[:-1], "not utf-16.* as its mark says"),
    ],
)
def test_another_encoding_of_the_whole_file_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(TableError, match=message):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("caffè latte; crème brûlée", "windows-1252"),
        ("\u0441\u043f\u0430\u0441\u0438\u0431\u043e \u0437\u0430", "windows-1251"),
        ("\u3053\u306e\u5546\u54c1\u306f\u3068\u3066\u3082\u826f\u3044", "shift_jis"),
        ("\u8fd9\u4e2a\u4ea7\u54c1\u975e\u5e38\u597d", "gb18030"),
        ("\ubc30\uc1a1\uc774 \ub108\ubb34 \ub290\ub824\uc694", "euc_kr"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_utf8_tells_its_line_and_the_likely_encoding(
    tmp_path: Path, text: str, encoding: str
) -> None:
    assert likely_encoding(f"{text},label".encode(encoding)) == encoding
    (tmp_path / "a.csv").write_bytes(b"text,label\nfine,a\n" + f"{text},b\n".encode(encoding))
    fine, refused = read(tmp_path / "a.csv")[0]
    assert fine.fields == {"text": "fine", "label": "a"}
    problem = f"not UTF-8 (likely {encoding}); save the file as UTF-8"
    assert (refused.line, refused.problem) == (3, problem)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_a_cell_of_16_mb_is_read(tmp_path: Path, name: str) -> None:
    row = {"text": "a b " * 2**22, "label": "a"}
    text = {
        "a.csv": f"text,label\n{row['text']},a\n",
        "a.jsonl": json.dumps(row),
        "a.json": json.dumps([row], indent=1),
    }[name]
    (tmp_path / name).write_text(text)
    assert fields_of(tmp_path / name) == [row]


def test_empty_rows_are_skipped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label,n\na,b,\n\n , ,\nc,d,1\n,,\n,,\n"","",""\n')
    rows, notes = read(tmp_path / "a.csv")
    assert [(row.line, row.fields) for row in rows] == [
        (2, {"text": "a", "label": "b", "n": ""}),
        (5, {"text": "c", "label": "d", "n": "1"}),
    ]
    assert notes == ["5 empty rows skipped"]


def test_a_row_with_too_many_cells_is_told_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text;label\na;b\nc;d;e\nf;g\n")
    rows, _ = read(tmp_path / "a.csv")
    counts = "3 cells, the first line names 2 columns"
    assert [(row.line, row.problem) for row in rows if row.problem] == [
        (3, f"{counts}; quote cells that hold a semicolon")
    ]


def test_empty_columns_at_the_right_are_no_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n,,,\ntext,label,,\na,b,,\nc,d\ne,f,g,\n")
    *good, bad = read(tmp_path / "a.csv")[0]
    assert [row.fields for row in good] == [
        {"text": "a", "label": "b"},
        {"text": "c", "label": "d"},
    ]
    assert bad.problem is not None
    assert bad.problem.startswith("3 cells, the first line names 2 columns")


def test_an_array_of_objects_has_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ROWS, indent=2))
    rows, notes = read(tmp_path / "a.json")
    assert [(row.line, row.fields) for row in rows] == [(2, ROWS[0]), (6, ROWS[1])]
    assert notes == []
    (tmp_path / "b.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert fields_of(tmp_path / "b.json") == ROWS, "lines of JSON under the name of an array"
    (tmp_path / "c.jsonl").write_text(" [] ")
    assert fields_of(tmp_path / "c.jsonl") == []


def test_an_array_longer_than_a_chunk_is_read_whole(tmp_path: Path) -> None:
    rows = [{"text": "x" * (place * 37 % 5000), "n": place} for place in range(500)]
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=1))
    assert fields_of(tmp_path / "a.json") == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1}, {"a": 2}', "line 1: the array is not closed; make it anew"),
        ('[{"a": 1}\n {"a": 2}]', r"line 2: '\{\"a\": 2\}\]' where ',' is due; mend the JSON"),
        ('[{"a": 1},\n{"a": }]', "line 2: not JSON .Expecting value.*; mend it"),
        ('[\n{"a": 1},]', "line 2: not JSON"),
        ("[" * 100_000, "line 1: not JSON .*; mend it"),
    ],
)
def test_a_broken_array_tells_its_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(TableError, match=rf"a\.json: {message}"):
        read(tmp_path / "a.json")


def test_what_is_no_object_in_an_array_is_a_fault_of_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'[{"a": 1},\n3,\n{"a": "\xff"}, {"a": NaN}]')
    assert [(row.line, row.fields, row.problem) for row in read(tmp_path / "a.json")[0]] == [
        (1, {"a": 1}, None),
        (2, None, "not a JSON object; give an array of objects"),
        (3, None, "not UTF-8 (likely windows-1252); save the file as UTF-8"),
        (3, {"a": None}, None),
    ]
