"""A bundle is verified file by file, and what is wrong is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from model.bundle import (
    CARD,
    HASHED,
    MANIFEST,
    MODEL,
    TOKENIZER,
    Bundle,
    BundleError,
    Task,
    read_bundle,
)
from model.bundle_writer import write_bundle

TASKS = (
    Task("food", "single", ("yes", "no"), control_id=10, temperature=1.5),
    Task("kinds", "multi", ("meat", "fruit"), control_id=11, thresholds=(0.25, 0.5)),
)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle whose files only verification reads."""
    graph, tokenizer = tmp_path / "graph", tmp_path / "tokenizer"
    graph.write_bytes(b"graph")
    tokenizer.write_text("{}")
    return write_bundle(
        tmp_path / "bundle",
        name="tiny",
        base="none",
        max_tokens=8,
        tasks=TASKS,
        model=graph,
        tokenizer=tokenizer,
        card="# tiny\n",
        metrics={"test": {"food": 0.5}},
    )


def edit(bundle: Bundle, change: dict[str, Any]) -> None:
    manifest = json.loads((bundle.path / MANIFEST).read_bytes())
    (bundle.path / MANIFEST).write_text(json.dumps(manifest | change))


def test_what_was_written_is_read_back(bundle: Bundle) -> None:
    raw = (bundle.path / MANIFEST).read_bytes()
    assert (bundle.name, bundle.base, bundle.max_tokens) == ("tiny", "none", 8)
    assert bundle.tasks == TASKS
    assert bundle.metrics == {"test": {"food": 0.5}}
    assert bundle.identity == f"tiny@{hashlib.sha256(raw).hexdigest()[:12]}"
    assert sorted(path.name for path in bundle.path.iterdir()) == sorted([MANIFEST, *HASHED])


def write_again(bundle: Bundle) -> Bundle:
    source = bundle.path.parent
    return write_bundle(
        bundle.path,
        name="second",
        base="none",
        max_tokens=8,
        tasks=TASKS,
        model=source / "graph",
        tokenizer=source / "tokenizer",
        card="",
        metrics={},
    )


def test_writing_again_replaces_the_older_bundle(bundle: Bundle) -> None:
    assert write_again(bundle).name == "second"
    hidden = [path.name for path in bundle.path.parent.iterdir() if path.name.startswith(".")]
    assert hidden == []


def test_writing_never_replaces_other_files(bundle: Bundle) -> None:
    (bundle.path / "thesis.tex").touch()
    with pytest.raises(BundleError, match=r"holds thesis\.tex besides a bundle; give a new dir"):
        write_again(bundle)
    assert read_bundle(bundle.path).name == "tiny"


@pytest.mark.parametrize("name", HASHED)
def test_a_missing_file_is_named(bundle: Bundle, name: str) -> None:
    (bundle.path / name).unlink()
    with pytest.raises(BundleError, match=f"bundle: {name}: No such file"):
        read_bundle(bundle.path)


@pytest.mark.parametrize("name", HASHED)
def test_an_altered_file_is_named(bundle: Bundle, name: str) -> None:
    data = (bundle.path / name).read_bytes()
    (bundle.path / name).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(BundleError, match=f"{name}: its sha256 is not the one"):
        read_bundle(bundle.path)


@pytest.mark.parametrize("name", HASHED)
def test_a_cut_file_is_named_with_both_sizes(bundle: Bundle, name: str) -> None:
    size = (bundle.path / name).stat().st_size
    (bundle.path / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=f"{name}: 1 bytes, bundle.json says {size}"):
        read_bundle(bundle.path)


def test_all_wrong_files_are_named_at_once(bundle: Bundle) -> None:
    (bundle.path / MODEL).unlink()
    (bundle.path / TOKENIZER).write_bytes(b"[]")
    (bundle.path / CARD).write_bytes(b"")
    with pytest.raises(BundleError, match=r"model\.onnx: .*tokenizer\.json: .*README\.md: "):
        read_bundle(bundle.path)


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere: no such directory; give a bundle"):
        read_bundle(tmp_path / "nowhere")


def test_no_manifest(bundle: Bundle) -> None:
    (bundle.path / MANIFEST).unlink()
    with pytest.raises(BundleError, match=r"bundle\.json: missing; is this a bundle"):
        read_bundle(bundle.path)


def test_a_manifest_that_cannot_be_read(bundle: Bundle) -> None:
    (bundle.path / MANIFEST).unlink()
    (bundle.path / MANIFEST).mkdir()
    with pytest.raises(BundleError, match=r"bundle\.json: Is a directory"):
        read_bundle(bundle.path)


@pytest.mark.parametrize("text", ["", "{", "\udc80"])
def test_a_manifest_that_is_not_json(bundle: Bundle, text: str) -> None:
    (bundle.path / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match=r"bundle\.json: not JSON"):
        read_bundle(bundle.path)


TASK: dict[str, Any] = {
    "name": "food",
    "kind": "single",
    "labels": ["yes", "no"],
    "control_id": 10,
    "temperature": 1.0,
    "thresholds": None,
}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format": 2}, "format is 2, this version reads format 1"),
        ({"format": None}, "format is None"),
        ({"name": ""}, "name must be a non-empty string"),
        ({"base": 1}, "base must be a string"),
        ({"max_tokens": 2}, "max_tokens must be an integer of 3 or more"),
        ({"max_tokens": True}, "max_tokens must be an integer"),
        ({"metrics": []}, "metrics must be an object"),
        ({"files": {}}, "files must be sha256 and bytes of model.onnx"),
        ({"tasks": []}, "tasks must be a list of tasks"),
        ({"tasks": [1]}, r"tasks\[0\]: must be an object"),
        ({"tasks": [TASK | {"name": 1}]}, r"tasks\[0\]: name must be a non-empty string"),
        ({"tasks": [TASK | {"kind": "pair"}]}, "kind must be one of single, multi"),
        ({"tasks": [TASK | {"labels": ["a", "a"]}]}, "labels must be different"),
        ({"tasks": [TASK | {"labels": "ab"}]}, "labels must be different"),
        ({"tasks": [TASK | {"control_id": 0}]}, "control_id must be a positive integer"),
        ({"tasks": [TASK | {"temperature": 0}]}, "temperature must be a positive number"),
        ({"tasks": [TASK | {"temperature": "1"}]}, "temperature must be a positive number"),
        ({"tasks": [TASK | {"thresholds": [0.5, 0.5]}]}, "thresholds must be null"),
        ({"tasks": [TASK | {"kind": "multi"}]}, "thresholds must be null"),
        ({"tasks": [TASK | {"kind": "multi", "thresholds": [0.5]}]}, "thresholds must be null"),
        ({"tasks": [TASK | {"kind": "multi", "thresholds": [2, 0]}]}, "thresholds must be null"),
        ({"tasks": [TASK, TASK | {"control_id": 11}]}, "two tasks share a name"),
        ({"tasks": [TASK, TASK | {"name": "b", "control_id": 12}]}, "one contiguous range"),
    ],
)
def test_a_wrong_manifest_names_its_key(bundle: Bundle, change: dict[str, Any], match: str) -> None:
    edit(bundle, change)
    with pytest.raises(BundleError, match=match):
        read_bundle(bundle.path)


def test_the_shipped_bundle_is_whole(bundle_path: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(bundle_path, tmp_path / "moved")
    assert read_bundle(moved).identity == read_bundle(bundle_path).identity


def test_own_metrics_are_those_of_the_graph_that_the_bundle_holds(bundle_path: Path) -> None:
    bundle = read_bundle(bundle_path)
    figures = {"fp32": {"tasks": {"a": 1}}, "int8": {"tasks": {"a": 2}}}
    held = {
        "fp32": bundle.changed(metrics={**figures, "shipped": "fp32"}),
        "int8": bundle.changed(metrics=figures),
    }
    assert {name: own.own_metrics for name, own in held.items()} == figures
    assert bundle.changed(metrics={}).own_metrics == {}


def test_heads_are_the_columns_of_the_tasks(bundle_path: Path) -> None:
    heads = read_bundle(bundle_path).heads
    assert [head.name for head in heads] == ["ingredient", "source", "category"]
    assert heads["source"].columns == slice(2, 2 + len(heads["source"].labels))
    assert heads.width == sum(heads.sizes) == 30
