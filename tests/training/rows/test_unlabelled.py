"""Texts to pretrain on: every format, none that judges, every fault with its file and line."""

import json
from pathlib import Path

import pytest

from training.recipe import TextFile, read_recipe
from training.rows.data_files import DataError
from training.rows.table import Table, read_table
from training.rows.unlabelled import read_texts

RECIPE = '[data]\nfiles = ["rows.jsonl"]\n[[task]]\nname = "kind"\nkind = "single"\n'


@pytest.fixture
def table(tmp_path: Path) -> Table:
    rows = [{"text": f"text {place}", "kind": "ab"[place % 2]} for place in range(40)]
    rows.append({"text": "held out", "kind": "a", "split": "test"})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return read_table(read_recipe(tmp_path / "recipe.toml"))


def test_each_text_comes_once_and_none_that_is_held_out(tmp_path: Path, table: Table) -> None:
    (tmp_path / "plain.txt").write_text("\ufeffsea salt\n\nHELD  out\n", "utf-8")
    (tmp_path / "more.csv").write_text("name\nSea Salt\nripe bananas\n")
    files = (TextFile(tmp_path / "plain.txt"), TextFile(tmp_path / "more.csv", "name"))
    assert read_texts(files, table) == ["sea salt", "ripe bananas"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"name\nx\n", r"a\.csv:2: column 'text' is not among name; .*text = \"\.\.\."),
        ("a.jsonl", b'{"text": 3}', r"a\.jsonl:1: column 'text' has 3; every row needs a text"),
        ("a.jsonl", b"{", r"a\.jsonl:1: not JSON .*; give one JSON object per line"),
        ("a.jsonl", b"", r"a\.jsonl: empty; give a file with rows"),
        ("a.txt", b"\xff", r"a\.txt: not UTF-8; save it as UTF-8"),
        ("a.txt", b"Held out\n", r"a\.txt: no text that is not held out or in a file before it"),
    ],
)
def test_a_fault_is_named_with_file_and_line(
    tmp_path: Path, table: Table, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_texts((TextFile(tmp_path / name),), table)
    with pytest.raises(DataError, match=r"none\.txt: No such file or directory; give the path"):
        read_texts((TextFile(tmp_path / "none.txt"),), table)
