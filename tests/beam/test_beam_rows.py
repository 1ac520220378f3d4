"""Rows scored on Beam are those of `batch`, whatever the table and however many workers."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.beam.commands import (
    assert_as_batch,
    beam,
    lines,
    require_beam,
    scored_lines,
    shards,
    write_jsonl,
)
from tests.bigquery_standin import StoredTable, bigquery_standin
from tests.docs_text import ROOT
from tests.gcs_standin import gcs_standin

pytestmark = pytest.mark.beam
require_beam()

TEXTS = int(os.environ.get("BEAM_TEXTS", "2000"))
NAMES = ROOT / "training" / "ingredients" / "transfer.jsonl.gz"
ODD: list[dict[str, Any]] = [
    {"text": ""},
    {"text": None},
    {"name": "salt"},
    {"text": 1},
    {"text": "salt", "predictions": 1},
    {"text": "\ud800 half a pair", "tags": ["a", "\udc00"]},
    {"text": "long " * 5000},
    {"text": "Crème brûlée 🍮", "n": 1e400},
]


def test_many_rows_on_two_workers_are_those_of_batch(tmp_path: Path) -> None:
    with gzip.open(NAMES, "rt", encoding="utf-8") as file:
        names = [str(json.loads(line)["text"]) for line in file]
    rows: list[dict[str, Any]] = []
    for number in range(TEXTS):
        place, remainder = divmod(number, max(1, TEXTS // 100))
        text = f"{names[number % len(names)]} {number // len(names) or ''}".rstrip()
        rows.append({"id": number, **({"text": text} if remainder else ODD[place % len(ODD)])})
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    summary = beam(source, tmp_path / "beam", "--workers", "2")
    assert_as_batch(source, tmp_path)
    scored, aside = scored_lines(tmp_path / "beam"), lines(tmp_path / "beam.rejected.jsonl")
    assert len(scored) + len(aside) == TEXTS
    assert len(shards(tmp_path / "beam")) >= 2, "both workers wrote"
    assert summary.startswith(f"{len(scored)} rows in {tmp_path / 'beam'}-*.jsonl, ")
    assert summary.endswith(f", {len(aside)} set aside in beam.rejected.jsonl\n")


@pytest.mark.parametrize("name", ["in.csv", "in.tsv.gz", "in.parquet"])
def test_every_format_is_read_as_batch_reads_it(tmp_path: Path, name: str) -> None:
    content = b'\xef\xbb\xbfName,n\n"honey, raw",1\n"two\nlines",2\n,3\n\xff,4\nsalt\n'
    source = tmp_path / name
    if name.endswith(".parquet"):
        import pyarrow
        from pyarrow import parquet

        columns = {"Name": ["salt", "", None], "n": [1.5, float("nan"), None], "t": [["a"], [], []]}
        parquet.write_table(pyarrow.table(columns), source)
    else:
        source.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    options = ("--text", "name", "--tasks", "category,source", "--top-k", "2")
    beam(source, tmp_path / "beam", *options)
    assert_as_batch(source, tmp_path, *options)


def test_a_table_of_bigquery_is_read_as_batch_reads_it(tmp_path: Path) -> None:
    columns = [{"name": "text", "type": "STRING"}, {"name": "price", "type": "NUMERIC"}]
    with bigquery_standin() as standin:
        table = StoredTable(columns, [["raw honey", "1.5"], [None, "2"], ["salt", None]])
        standin.tables["my-project.shop.products"] = table
        environment = {"BIGQUERY_EMULATOR_HOST": standin.host}
        beam("bq://my-project.shop.products", tmp_path / "beam", **environment)
        assert_as_batch("bq://my-project.shop.products", tmp_path, **environment)


def test_a_pattern_is_all_of_its_files_and_reasons_name_theirs(tmp_path: Path) -> None:
    for letter in "ab":
        write_jsonl(tmp_path / f"in-{letter}.jsonl", [{"text": f"salt {letter}"}, {"text": ""}])
    beam(str(tmp_path / "in-*.jsonl"), tmp_path / "beam", "--tasks", "source")
    assert [json.loads(line)["text"] for line in scored_lines(tmp_path / "beam")] == [
        "salt a", "salt b"
    ]  # fmt: skip
    assert sorted(lines(tmp_path / "beam.rejected.jsonl")) == [
        json.dumps({"file": str(path), "line": 2, "reason": "'text' is blank"})
        for path in sorted(tmp_path.glob("in-*.jsonl"))
    ]


def test_no_row_makes_one_empty_shard(tmp_path: Path) -> None:
    beam(write_jsonl(tmp_path / "in.jsonl", []), tmp_path / "beam")
    assert [path.read_bytes() for path in shards(tmp_path / "beam")] == [b""]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "beam-00000-of-00001.jsonl", "in.jsonl"
    ]  # fmt: skip


def test_a_bundle_of_cloud_storage_is_copied_once_for_all_workers(
    tmp_path: Path, bundle_path: Path
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "raw honey"}, {"text": "salt"}])
    with gcs_standin() as standin:
        for name in ("bundle.json", "model.onnx", "tokenizer.json", "README.md"):
            content = (bundle_path / name).read_bytes()
            standin.objects["b", f"bundles/mine/{name}"] = content
        standin.objects["b", "in/a.jsonl"] = source.read_bytes()
        environment = {
            "STORAGE_EMULATOR_HOST": standin.host,
            "GOOGLE_APPLICATION_CREDENTIALS": str(standin.key_file(tmp_path / "key.json")),
            "TMPDIR": str(tmp_path),
        }
        options = ("--bundle", "gs://b/bundles/mine", "--workers", "2")
        beam("gs://b/in/a.jsonl", tmp_path / "beam", *options, **environment)
        assert standin.read.count("bundles/mine/model.onnx") == 1
        assert_as_batch(source, tmp_path)
