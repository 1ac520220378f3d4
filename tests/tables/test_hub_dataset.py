"""A dataset of the Hugging Face hub is read by its Parquet files, and so is a folder of them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet
import pytest

from tables.reader import TableError, TableReader
from tests.standin_server import answering

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FEATURES = {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}
READ = """
import json, os, pathlib, sys
from tables.reader import TableError, TableReader
from tables.remote_table import RemoteTable
for address in sys.argv[1:]:
    table = RemoteTable(address)
    try:
        with TableReader(table) as reader:
            answer = [[row.fields for row in reader], table.version()]
            assert 0 < reader.read_bytes == reader.total_bytes
        fetched = pathlib.Path(os.environ["HF_HOME"]).rglob("*.parquet")
        answer.append(sorted(path.parent.name for path in fetched))
    except TableError as error:
        answer = str(error)
    print(json.dumps(answer))
"""
"""Prints of each address the rows, the version, and the folders of files fetched so far."""


def write_part(folder: Path, rows: list[dict[str, Any]], number: int = 0) -> None:
    """A file as the hub writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    table = pa.Table.from_pylist(rows).replace_schema_metadata(metadata)
    pa.parquet.write_table(table, folder / f"{number:04}.parquet")


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A folder as a download of refs/convert/parquet leaves it; one configuration of two files."""
    folder = tmp_path / "snapshot"
    write_part(folder / "plain" / "test", [{"text": "t", "label": 0}])
    write_part(folder / "plain" / "train", [{"text": "a", "label": 1}, {"text": None}])
    write_part(folder / "plain" / "train", [{"text": "b", "label": -1}], 1)
    write_part(folder / "plain" / "partial-extra", [{"text": "e", "label": 1}])
    (folder / "README.md").touch()
    return folder


PLAIN_ROWS = [
    {"split": "train", "text": "a", "label": "good"},
    {"split": "train", "text": "b", "label": None},
    {"split": "test", "text": "t", "label": "bad"},
    {"split": None, "text": "e", "label": "good"},
]


def test_a_downloaded_folder_gives_splits_and_names_of_classes(snapshot: Path) -> None:
    for path in (snapshot, snapshot / "plain"):
        with TableReader(path) as reader:
            rows = list(reader)
            assert 0 < reader.read_bytes <= reader.total_bytes
        assert reader.columns == ["split", "text", "label"]
        assert [row.fields for row in rows] == PLAIN_ROWS
        assert [row.line for row in rows] == [1, 3, 4, 5]
        assert [note.removeprefix(f"{path}: ") for note in reader.notes] == [
            "numbers in column 'label' are read as names",
            "its part 'extra' is no split: its rows have none",
            "the hub has made only a part of 'extra' into Parquet",
            "1 empty row skipped",
        ]


def test_one_of_several_configurations_is_to_be_named(snapshot: Path) -> None:
    write_part(snapshot / "other" / "train", [{"text": "o", "label": 1}])
    problem = f"several configurations; add one to it, as {snapshot}/CONFIG: other, plain"
    with pytest.raises(TableError) as error:
        TableReader(snapshot)
    assert str(error.value) == f"{snapshot}: {problem}"


def test_a_damaged_file_of_a_folder_is_named(snapshot: Path) -> None:
    (snapshot / "plain" / "train" / "0001.parquet").write_bytes(b"damaged")
    message = rf"{snapshot}: train/0001\.parquet: not a whole Parquet file .*; make it anew"
    with TableReader(snapshot) as reader, pytest.raises(TableError, match=message):
        list(reader)


@contextmanager
def hub(snapshot: Path) -> Iterator[str]:
    """A local host with the calls by which huggingface_hub fetches o/n; its address."""
    files = [path for path in sorted(snapshot.rglob("*")) if path.is_file()]
    paths = {str(path.relative_to(snapshot)): path for path in files}
    siblings = [{"rfilename": path} for path in paths]
    tree = [
        {"type": "file", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(),
         "size": file.stat().st_size}
        for path, file in paths.items()
    ]  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = unquote(self.path.partition("?")[0])
            resolved = place.removeprefix(f"/datasets/o/n/resolve/{COMMIT}/")
            if place == "/api/datasets/o/n/revision/refs/convert/parquet":
                self.reply(200, json.dumps({"id": "o/n", "sha": COMMIT, "siblings": siblings}))
            elif place == f"/api/datasets/o/n/tree/{COMMIT}":
                self.reply(200, json.dumps(tree))
            elif resolved in paths:
                self.reply(200, paths[resolved].read_bytes())
            elif place.startswith("/api/datasets/o/n/"):
                self.reply(404, "{}", "RevisionNotFound")
            else:
                self.reply(404, "{}", "RepoNotFound")

        do_HEAD = do_GET  # noqa: N815

        def reply(self, status: int, body: str | bytes, code: str = "") -> None:
            content = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            if code:
                self.send_header("X-Error-Code", code)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with answering(Handler) as address:
        yield address


def read_of_hub(addresses: list[str], endpoint: str, cache: Path) -> list[Any]:
    """What a process reads, by address; huggingface_hub takes its settings from the environment."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", READ, *addresses],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


FORM = "no dataset of the hub; give hf://OWNER/NAME[/CONFIG][#SPLIT]"
BARRED = (
    "the hub has no such dataset, or not for you; check the name; for a private or gated one set "
    "HF_TOKEN to a token that may read"
)


def test_a_dataset_of_the_hub_is_fetched_and_read(snapshot: Path, tmp_path: Path) -> None:
    write_part(snapshot / "other" / "train", [{"text": "o", "label": 1}])
    several = "several configurations; add one to it, as hf://o/n/CONFIG: other, plain"
    addresses: dict[str, Any] = {
        "hf://o/n/plain#test": [[PLAIN_ROWS[2]], {"commit": COMMIT}, ["test"]],
        "hf://o/n/plain#extra": [[PLAIN_ROWS[3]], {"commit": COMMIT}, ["partial-extra", "test"]],
        "hf://o/n/plain": [
            PLAIN_ROWS, {"commit": COMMIT}, ["partial-extra", "test", "train", "train"]
        ],
        "hf://n": f"hf://n: {FORM}",
        "hf://o/n n": f"hf://o/n n: {FORM}",
        "hf://o/n": f"hf://o/n: {several}",
        "hf://o/n/none": "hf://o/n/none: no configuration 'none'; give one of other, plain",
        "hf://o/n/other#dev": "hf://o/n/other#dev: no split 'dev'; give one of train",
        "hf://o/none": f"hf://o/none: {BARRED}",
    }  # fmt: skip
    with hub(snapshot) as endpoint:
        answers = read_of_hub(list(addresses), endpoint, tmp_path / "cache")
    assert dict(zip(addresses, answers, strict=True)) == addresses


def test_a_hub_that_cannot_be_reached_is_told_with_the_way_round(tmp_path: Path) -> None:
    assert read_of_hub(["hf://o/n#train"], "http://127.0.0.1:9", tmp_path) == [
        "hf://o/n#train: the hub cannot be reached (ConnectError); where it can, run `hf download "
        "o/n --repo-type dataset --revision refs/convert/parquet --local-dir DIR`, and give the "
        "folder DIR"
    ]
