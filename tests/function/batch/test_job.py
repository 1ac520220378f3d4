"""Files of rows: formats, bad rows, and a run that was killed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from function.batch import job as job_module
from function.batch.checkpoint import Checkpoint
from function.batch.job import BatchJob, run_job
from model.classifier import Classifier
from tables.labels import parse_labels
from tables.reader import TableReader

ROOT = Path(__file__).resolve().parents[3]
ROWS = [{"id": number, "text": f"honey {number}", "tags": ["a", "b"]} for number in range(10)]


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    return [
        json.loads(line)
        for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
    ]


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def job(source: Path, target: Path, bundle_path: Path, **options: Any) -> BatchJob:
    return BatchJob(source, target, bundle_path, **{"chunk_rows": 4, **options})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("extension", ["jsonl", "jsonl.gz"])
def test_jsonl_keeps_the_row_and_adds_predictions(
    tmp_path: Path, bundle_path: Path, classifier: Classifier, extension: str
) -> None:
    source, target = write_jsonl(tmp_path / "in.jsonl", ROWS), tmp_path / f"out.{extension}"
    position = run_job(job(source, target, bundle_path, tasks=["source"], top_k=2))
    assert (position.rows, position.rejected) == (10, 0)
    rows = read_jsonl(target)
    assert [{key: row[key] for key in ("id", "text", "tags")} for row in rows] == ROWS
    expected = classifier.predict([str(row["text"]) for row in ROWS], ["source"], 2)
    for row, prediction in zip(rows, expected, strict=True):
        assert list(row["predictions"]) == ["source"]
        assert [one["label"] for one in row["predictions"]["source"]] == [
            one["label"] for one in prediction["source"]
        ]
    assert names(tmp_path) == ["in.jsonl", target.name]


def test_csv_to_csv_adds_two_columns_for_each_task(tmp_path: Path, bundle_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('\ufeffname,note\n"honey, raw","two\nlines"\nsalt,\n', "utf-8")
    run_job(job(source, target, bundle_path, text="name", tasks=["source", "category"]))
    rows = read_csv(target)
    assert [(row["name"], row["note"]) for row in rows] == [
        ("honey, raw", "two\nlines"),
        ("salt", ""),
    ]
    assert list(rows[0])[2:] == [
        "source.predicted",
        "source.score",
        "category.predicted",
        "category.score",
    ]
    for row in rows:
        labels, scores = row["category.predicted"], row["category.score"]
        assert labels.count("|") == scores.count("|")
        assert 0 < float(row["source.score"]) <= 1


@pytest.mark.parametrize("extension", ["csv", "tsv", "csv.gz", "parquet"])
def test_no_label_reads_back_as_none_apply(
    tmp_path: Path, bundle_path: Path, classifier: Classifier, extension: str
) -> None:
    texts = ["butter knife", "raw honey"]
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in texts])
    target = tmp_path / f"out.{extension}"
    run_job(job(source, target, bundle_path, tasks=["category", "source"]))
    with TableReader(target) as reader:
        rows = [row.fields or {} for row in reader]
        assert reader.columns == [
            "text", "category.predicted", "category.score", "source.predicted", "source.score"
        ]  # fmt: skip
    predictions = classifier.predict(texts, ["category", "source"])
    assert predictions[0]["category"] == []
    for row, prediction in zip(rows, predictions, strict=True):
        for task, kind in (("category", "multi"), ("source", "single")):
            labels = parse_labels(row[f"{task}.predicted"], kind)
            assert labels == frozenset(label["label"] for label in prediction[task])
    assert rows[0]["category.score"] in ("", [])


def test_parquet_has_typed_columns_and_goes_on_after_a_kill(
    tmp_path: Path, bundle_path: Path
) -> None:
    source, target = write_jsonl(tmp_path / "in.jsonl", ROWS * 10), tmp_path / "out.parquet"
    kill_after_first_chunk(source, target, bundle_path)
    run_job(job(source, target, bundle_path))
    table = pa.parquet.read_table(target)
    assert table.num_rows == 100
    assert table.schema.field("source.predicted").type == pa.string()
    assert table.schema.field("source.score").type == pa.float64()
    assert table.schema.field("category.predicted").type == pa.list_(pa.string())
    assert [row["text"] for row in table.to_pylist()] == [row["text"] for row in ROWS] * 10
    assert names(tmp_path) == ["in.jsonl", "out.parquet"]
    run_job(job(target, tmp_path / "again.jsonl", bundle_path, tasks=["source"]))
    again = read_jsonl(tmp_path / "again.jsonl")
    assert all(r["source.predicted"] == r["predictions"]["source"][0]["label"] for r in again)


def test_how_an_export_was_read_is_said(
    tmp_path: Path, bundle_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes("Text ;n\r\nsalt, coarse;1\r\n;\r\n".encode("utf-16"))
    run_job(job(source, tmp_path / "out.csv", bundle_path, tasks=["source"]))
    assert [row["Text "] for row in read_csv(tmp_path / "out.csv")] == ["salt, coarse"]
    assert capsys.readouterr().err.splitlines() == [
        f"note: {source}: its encoding is UTF-16",
        f"note: {source}: the delimiter is a semicolon",
        f"note: {source}: 1 empty row skipped",
        f"note: {source}: column 'Text ' is read as 'text'",
        f"1 rows in {tmp_path / 'out.csv'}",
    ]


IMPORTED = """
import sys
from function.__main__ import main

status = main(sys.argv[1:])
print(*(name for name in ("pyarrow", "openpyxl", "pandas", "pydantic") if name in sys.modules))
sys.exit(status)
"""


def test_text_formats_need_no_more_than_the_function(tmp_path: Path, bundle_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text;n\nsalt;1\n")
    files = [str(tmp_path / "in.csv"), str(tmp_path / "out.tsv.gz")]
    command = [sys.executable, "-c", IMPORTED, "batch", *files, "--bundle", str(bundle_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_an_array_cannot_be_written(tmp_path: Path, bundle_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    with pytest.raises(ValueError, match=r"out\.json: the name must end in one of \.jsonl\.gz, "):
        run_job(job(source, tmp_path / "out.json", bundle_path))


def test_formats_cross(tmp_path: Path, bundle_path: Path) -> None:
    source = tmp_path / "in.jsonl.gz"
    source.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    run_job(job(source, tmp_path / "middle.csv", bundle_path, tasks=["source"]))
    run_job(job(tmp_path / "middle.csv", tmp_path / "out.jsonl", bundle_path, tasks=["source"]))
    for row in read_jsonl(tmp_path / "out.jsonl"):
        assert row["tags"] == "a|b"
        assert row["source.predicted"] == row["predictions"]["source"][0]["label"]


def test_bad_rows_are_set_aside_with_line_and_reason(tmp_path: Path, bundle_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines: list[bytes] = [
        b'{"text": "salt"}',
        b"",
        b"nonsense",
        b"[1]",
        b'{"text": "\xff"}',
        b'{"text": null}',
        b'{"name": "salt"}',
        b'{"text": 1}',
        b'{"text": " "}',
        b'{"text": "a", "predictions": 1}',
        b'{"text": "\\ud800"}',
    ]
    source.write_bytes(b"\n".join(lines))
    position = run_job(job(source, target, bundle_path))
    assert (position.rows, position.rejected) == (10, 8)
    assert [row["text"] for row in read_jsonl(target)] == ["salt", "\ud800"]
    rejected = read_jsonl(tmp_path / "out.jsonl.rejected.jsonl")
    assert [(row["line"], row["reason"].partition(" (")[0]) for row in rejected] == [
        (3, "not JSON"),
        (4, "not a JSON object; give one per line"),
        (5, "not UTF-8"),
        (6, "no 'text'"),
        (7, "no 'text'"),
        (8, "'text' is not a string"),
        (9, "'text' is blank"),
        (10, "has a field 'predictions' already"),
    ]


def test_bad_csv_rows(tmp_path: Path, bundle_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"text,n\nsalt,1\nsalt\nsalt,1,2\n\xff,1\n\n,1\nend,1\n")
    run_job(job(source, target, bundle_path, tasks=["source"]))
    assert [row["text"] for row in read_csv(target)] == ["salt", "end"]
    cells = "cells, the first line names 2 columns; quote cells that hold a comma"
    assert read_jsonl(tmp_path / "out.csv.rejected.jsonl") == [
        {"line": 3, "reason": f"1 {cells}"},
        {"line": 4, "reason": f"3 {cells}"},
        {"line": 5, "reason": "not UTF-8 (likely windows-1252); save the file as UTF-8"},
        {"line": 7, "reason": "'text' is blank"},
    ]


def test_a_csv_without_rows_keeps_its_header(tmp_path: Path, bundle_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\n")
    run_job(job(tmp_path / "in.csv", tmp_path / "out.csv", bundle_path, tasks=["source"]))
    assert (tmp_path / "out.csv").read_text() == "text,source.predicted,source.score\n"


def test_an_output_is_not_overwritten_unless_forced(tmp_path: Path, bundle_path: Path) -> None:
    source, target = write_jsonl(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    target.write_text("precious")
    with pytest.raises(ValueError, match=r"out\.jsonl: exists already; give --force"):
        run_job(job(source, target, bundle_path))
    assert target.read_text() == "precious"
    run_job(job(source, target, bundle_path, force=True))
    assert len(read_jsonl(target)) == 10


def test_a_killed_run_with_force_goes_on(tmp_path: Path, bundle_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ROWS * 40)
    target, partial = tmp_path / "out.jsonl", tmp_path / "out.jsonl.partial"
    target.write_text("of an earlier day")
    kill_after_first_chunk(source, target, bundle_path, "--force")
    first, rest = partial.read_bytes().split(b"\n", 1)
    marked = first.replace(b"honey 0", b"HONEY 0")
    partial.write_bytes(marked + b"\n" + rest)
    run_job(job(source, target, bundle_path, force=True, chunk_rows=1024))
    assert target.read_bytes().startswith(marked), "what was scored already is kept"
    assert len(read_jsonl(target)) == 400
    run_job(job(source, target, bundle_path, force=True, chunk_rows=1024))
    assert target.read_bytes().startswith(first), (
        "a run that has ended leaves nothing to go on from"
    )


KILLED = """
import os, signal, sys
from function.__main__ import main
from function.batch.checkpoint import Checkpoint

def save_and_die(checkpoint, *step, save=Checkpoint.save):
    save(checkpoint, *step)
    if checkpoint.position.rows:
        os.kill(os.getpid(), signal.SIGKILL)

Checkpoint.save = save_and_die
main(sys.argv[1:])
"""


def kill_after_first_chunk(source: Path, target: Path, bundle_path: Path, *options: str) -> None:
    before = target.read_bytes() if target.exists() else None
    command = [sys.executable, "-c", KILLED, "batch", str(source), str(target)]
    command += ["--bundle", str(bundle_path), "--chunk", "16", *options]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert (target.read_bytes() if target.exists() else None) == before
    record = json.loads(target.with_name(f"{target.name}.progress.json").read_bytes())
    assert record["position"]["rows"] == 16


@pytest.mark.parametrize("extension", ["jsonl", "jsonl.gz", "csv"])
def test_a_killed_run_goes_on_and_ends_the_same(
    tmp_path: Path, bundle_path: Path, extension: str
) -> None:
    rows = [{"text": f"honey {number}" if number % 7 else ""} for number in range(150)]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    target, whole = tmp_path / f"out.{extension}", tmp_path / f"whole.{extension}"
    kill_after_first_chunk(source, target, bundle_path)
    with (tmp_path / f"out.{extension}.partial").open("ab") as partial:
        partial.write(b"half a ro")
    position = run_job(job(source, target, bundle_path, chunk_rows=16))
    assert (position.rows, position.rejected) == (150, 22)
    run_job(job(source, whole, bundle_path, chunk_rows=16))
    assert target.read_bytes() == whole.read_bytes()
    rejected = [tmp_path / f"{name}.{extension}.rejected.jsonl" for name in ("out", "whole")]
    assert rejected[0].read_bytes() == rejected[1].read_bytes()
    assert len(names(tmp_path)) == 5


@pytest.mark.parametrize(
    ("change", "named"),
    [({"text": "id"}, "text"), ({"top_k": 2}, "top_k"), ({"tasks": ["source"]}, "tasks")],
)
def test_going_on_refuses_other_options(
    tmp_path: Path, bundle_path: Path, change: dict[str, Any], named: str
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{**row, "id": "x"} for row in ROWS] * 40)
    kill_after_first_chunk(source, tmp_path / "out.jsonl", bundle_path)
    with pytest.raises(ValueError, match=f"made with another {named}; .* --force to start over"):
        run_job(job(source, tmp_path / "out.jsonl", bundle_path, **change))


def test_going_on_refuses_a_changed_input(tmp_path: Path, bundle_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ROWS * 40)
    kill_after_first_chunk(source, tmp_path / "out.jsonl", bundle_path)
    write_jsonl(source, ROWS)
    os.utime(source, ns=(1, 1))
    match = "made with another input_bytes, input_mtime_ns"
    with pytest.raises(ValueError, match=match):
        run_job(job(source, tmp_path / "out.jsonl", bundle_path))
    run_job(job(source, tmp_path / "out.jsonl", bundle_path, force=True))
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 10


def test_only_one_batch_writes_an_output(tmp_path: Path) -> None:
    first = Checkpoint(tmp_path / "out.jsonl", {}, force=False)
    with pytest.raises(ValueError, match="another batch is writing it"):
        Checkpoint(tmp_path / "out.jsonl", {}, force=False)
    first.close()


def test_a_column_that_is_not_there(tmp_path: Path, bundle_path: Path) -> None:
    (tmp_path / "in.csv").write_text("name,note\na,b\n")
    with pytest.raises(ValueError, match="no column 'text' among 'name', 'note'; give --text"):
        run_job(job(tmp_path / "in.csv", tmp_path / "out.csv", bundle_path))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "the file is empty; its first line must name the columns"),
        ("a,a\n", "the first line names a twice"),
        ("text,source.score\nsalt,1\n", r"columns named source\.score already; rename them"),
    ],
)
def test_unusable_headers(tmp_path: Path, bundle_path: Path, content: str, match: str) -> None:
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(ValueError, match=match):
        run_job(job(tmp_path / "in.csv", tmp_path / "out.csv", bundle_path))


def test_a_gzip_file_that_breaks_off(tmp_path: Path, bundle_path: Path) -> None:
    source = tmp_path / "in.jsonl.gz"
    source.write_bytes(gzip.compress(b'{"text": "salt"}\n' * 100)[:-9])
    with pytest.raises(ValueError, match=r"in\.jsonl\.gz: not a whole gzip file"):
        run_job(job(source, tmp_path / "out.jsonl", bundle_path))


@pytest.mark.slow
def test_progress_in_a_log_is_a_line_now_and_then(
    tmp_path: Path,
    bundle_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    run_job(job(source, tmp_path / "first.jsonl", bundle_path))
    summary = f"10 rows in {tmp_path / 'first.jsonl'}\n"
    assert capsys.readouterr().err == summary, "a short run writes nothing else"
    monkeypatch.setattr(job_module, "LOG_S", 0.0)
    write_jsonl(source, ROWS * 300)
    run_job(job(source, tmp_path / "second.jsonl", bundle_path, chunk_rows=1024))
    lines = [line.strip() for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert any(re.fullmatch(r"2048 rows, \d+% read, .*B/s, \d\d:\d\d left", line) for line in lines)
    assert lines[-1] == f"3000 rows in {tmp_path / 'second.jsonl'}"


def test_progress_on_a_terminal_is_a_bar(tmp_path: Path, bundle_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    command = [sys.executable, "-m", "function", "batch", str(source), str(tmp_path / "out.jsonl")]
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    subprocess.run([*command, "--bundle", str(bundle_path)], cwd=ROOT, stderr=terminal, check=True)
    os.close(terminal)
    shown = os.read(screen, 2**16).decode()
    os.close(screen)
    assert re.search(r"10 rows: 100%\|.*B/s\]", shown)
    assert shown.rstrip().endswith(f"10 rows in {tmp_path / 'out.jsonl'}")
