"""A run that fails names why, leaves nothing that looks whole, and can be run again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.beam.commands import (
    LONGEST_S,
    assert_as_batch,
    beam,
    beam_words,
    lines,
    require_beam,
    run,
    scored_lines,
    shards,
    write_jsonl,
)
from tests.docs_text import ROOT
from tests.gcs_standin import gcs_standin

pytestmark = pytest.mark.beam
require_beam()

from function.batch.beam_output import clear_output  # noqa: E402
from tables.reader import TableError  # noqa: E402


@pytest.fixture
def damaged(tmp_path: Path, bundle_path: Path) -> Path:
    """The shipped bundle, one byte of its graph changed."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    for name in ("bundle.json", "model.onnx", "tokenizer.json", "README.md"):
        shutil.copy(bundle_path / name, folder)
    graph = bytearray((folder / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (folder / "model.onnx").write_bytes(graph)
    return folder


def test_a_damaged_bundle_is_named_before_a_row_is_read(tmp_path: Path, damaged: Path) -> None:
    words = beam_words(tmp_path / "no-such-table.jsonl", tmp_path / "out")
    message = run([*words, "--bundle", str(damaged)], 1)
    problem = "model.onnx: its sha256 is not the one in bundle.json; the file was altered"
    assert message == f"error: {damaged}: {problem}\n"


def test_a_damaged_bundle_of_cloud_storage_is_named_before_a_row_is_read(
    tmp_path: Path, damaged: Path
) -> None:
    with gcs_standin() as standin:
        for path in damaged.iterdir():
            standin.objects["b", f"mine/{path.name}"] = path.read_bytes()
        standin.objects["b", "in.jsonl"] = b'{"text": "salt"}\n'
        environment = {
            "STORAGE_EMULATOR_HOST": standin.host,
            "GOOGLE_APPLICATION_CREDENTIALS": str(standin.key_file(tmp_path / "key.json")),
            "TMPDIR": str(tmp_path),
        }
        words = beam_words("gs://b/in.jsonl", tmp_path / "out")
        message = run([*words, "--bundle", "gs://b/mine"], 1, **environment)
        assert message.startswith("error: gs://b/mine: model.onnx: its sha256 is not the one in")
        assert "in.jsonl" not in standin.read
        del standin.objects["b", "mine/tokenizer.json"]
        message = run([*words, "--bundle", "gs://b/mine"], 1, **environment)
        assert "error: gs://b/mine: tokenizer.json: cannot be read" in message
        assert not [path for path in tmp_path.glob("polyhead-bundles/*") if path.is_dir()]


def many_rows(folder: Path) -> Path:
    rows = [
        {"id": number, "text": f"honey {number}" if number % 9 else ""} for number in range(9000)
    ]
    return write_jsonl(folder / "in.jsonl", rows)


def workers_of(pid: int) -> list[Any]:
    """Worker processes of a run, without the shells that started them."""
    return [
        process
        for process in psutil.Process(pid).children(recursive=True)
        if process.cmdline()[-1:] == ["apache_beam.runners.worker.sdk_worker_main"]
    ]


def kill_one_worker(pid: int) -> None:
    workers_of(pid)[-1].kill()


def kill_the_run(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_one_worker, kill_the_run])
def test_a_kill_half_way_leaves_nothing_that_looks_whole_and_a_rerun_completes(
    tmp_path: Path, kill: Callable[[int], None]
) -> None:
    source, target = many_rows(tmp_path), tmp_path / "beam"
    words = beam_words(source, target, "--workers", "2")
    process = subprocess.Popen(
        words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        deadline = time.monotonic() + LONGEST_S
        while not list(tmp_path.glob("beam-temp-beam-*/*")):  # rows are scored and being written
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        workers = workers_of(process.pid)
        kill(process.pid)
        _, message = process.communicate(timeout=LONGEST_S)
    assert process.returncode == (1 if kill is kill_one_worker else -signal.SIGKILL)
    if kill is kill_one_worker:
        assert message.startswith("error: Worker subprocess exited"), message
        assert message.endswith("run the same command again\n"), message
        assert message.count("\n") == 1, message
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    assert shards(target) == []
    beam(source, target, "--workers", "2")
    assert_as_batch(source, tmp_path)
    assert list(tmp_path.glob("beam-temp-*")) == []


def test_shards_of_a_run_killed_while_they_moved_are_replaced_and_whole_ones_kept(
    tmp_path: Path,
) -> None:
    source, target = write_jsonl(tmp_path / "in.jsonl", [{"text": "salt"}]), tmp_path / "beam"
    (tmp_path / "beam-00001-of-00003.jsonl").write_text("of a killed run")
    (tmp_path / "beam.rejected.jsonl").write_text("of a killed run")
    beam(source, target)
    assert_as_batch(source, tmp_path)
    before = [path.read_bytes() for path in shards(target)]
    message = run(beam_words(source, target), 1)
    assert message == f"error: {target}-*.jsonl: exists already; give --force to replace it\n"
    assert [path.read_bytes() for path in shards(target)] == before
    beam(source, target, "--tasks", "source", "--force")
    assert all('"category"' not in line for path in shards(target) for line in lines(path))


def test_files_of_other_outputs_stay(tmp_path: Path) -> None:
    names = ("beam-part-1-of-2.jsonl", "beam-2024-00000-of-00001.jsonl", "beam.rejected.jsonl-of-1")
    for name in names:
        write_jsonl(tmp_path / name, [{"text": "salt"}])
    with pytest.raises(TableError, match=r"2024-.*: Beam would delete it"):
        clear_output(str(tmp_path / "beam"), [], force=True)
    assert all((tmp_path / name).exists() for name in names)
    (tmp_path / names[1]).unlink()
    beam(tmp_path / names[0], tmp_path / "beam")
    assert (tmp_path / names[0]).exists()
    assert len(scored_lines(tmp_path / "beam")) == 2  # that of the part, which is no shard


@pytest.mark.parametrize("name", ["beam-00000-of-00002.jsonl", "beam.rejected.jsonl"])
def test_an_input_is_not_deleted_for_the_output(tmp_path: Path, name: str) -> None:
    source = write_jsonl(tmp_path / name, [{"text": "salt"}])
    with pytest.raises(TableError, match=f"{name}: is an input, and of .*; name another output"):
        clear_output(str(tmp_path / "beam"), [os.path.relpath(source)], force=True)
    assert source.exists()


def test_what_is_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("name\nsalt\n")
    broken = tmp_path / "in.csv.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00 no gzip")
    for options, problem in (
        ((source,), f"{source}: no column 'text' among 'name'; give --text COLUMN"),
        ((tmp_path / "*.parquet",), "no such file; give the path or the pattern of tables"),
        ((source, "--taks", "source"), "unknown options: --taks source; neither ours nor of Beam"),
        ((source, "--text", "name", "--tasks", "x"), "unknown tasks: ['x']; this bundle knows"),
        ((broken,), f"{broken}: not a whole gzip file"),
    ):
        table, *rest = map(str, options)
        message = run(beam_words(table, tmp_path / "out", *rest), 1)
        assert message.startswith("error: "), message
        assert message.count("\n") == 1, message
        assert problem in message
    assert shards(tmp_path / "out") == []
