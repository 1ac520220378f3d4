"""The session on the C library: as the binding, with errors, threads, and no leak."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from model import session as model_session
from model.bundle import MODEL, Bundle, read_bundle
from model.classifier import Classifier
from model.encoding import GraphInputs, graph_inputs
from model.onnxruntime_binding import BindingSession
from model.onnxruntime_library import GraphError, LibrarySession, library
from model.session import ALL_OPTIMIZATION, GraphOptions, open_graph
from profiling.server import ROOT

TEST_ROWS = ROOT / "training" / "ingredients" / "ingredients.jsonl.gz"
LEAK_RUNS = 6_000
LEAK_MIB = 1.0
"""An OrtValue that is not released costs some 200 bytes a run, three of them 3 MiB."""


@pytest.fixture(scope="module")
def bundle(bundle_path: Path) -> Bundle:
    return read_bundle(bundle_path)


@pytest.fixture(scope="module")
def session(bundle: Bundle) -> LibrarySession:
    opened = library()
    assert opened is not None
    return LibrarySession(opened, bundle.path / MODEL, GraphOptions())


def some_inputs(bundle: Bundle, *rows: list[int]) -> GraphInputs:
    return graph_inputs(rows or [[2, 300, 4000, 3]], [task.control_id for task in bundle.tasks])


def test_it_answers_as_the_binding_does(
    bundle: Bundle, session: LibrarySession, classifier: Classifier
) -> None:
    binding = BindingSession(bundle.path / MODEL, GraphOptions())
    assert session.width == binding.width == bundle.heads.width
    texts = [example["text"] for example in map(json.loads, _test_lines())]
    assert len(texts) > 1000
    for start in range(0, len(texts), 64):
        inputs = some_inputs(bundle, *classifier.encode(texts[start : start + 64]).ids)
        assert session.run(inputs) == binding.run(inputs)


def _test_lines() -> list[str]:
    with gzip.open(TEST_ROWS, "rt", encoding="utf-8") as lines:
        return [line for line in lines if json.loads(line)["split"] == "test"]


def test_threads_share_it(bundle: Bundle, session: LibrarySession) -> None:
    rows = [[2, 300 + place, 4000, 3] for place in range(200)]
    expected = [session.run(some_inputs(bundle, row)) for row in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda row: session.run(some_inputs(bundle, row)), rows)) == expected


def test_what_the_library_says_is_raised(bundle: Bundle, tmp_path: Path) -> None:
    opened = library()
    assert opened is not None
    with pytest.raises(GraphError, match=r"nowhere\.onnx failed"):
        LibrarySession(opened, tmp_path / "nowhere.onnx", GraphOptions())
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(GraphError, match="Protobuf parsing failed"):
        LibrarySession(opened, tmp_path / "broken.onnx", GraphOptions())
    with pytest.raises(GraphError, match="graph_optimization_level is not valid"):
        LibrarySession(opened, bundle.path / MODEL, GraphOptions(optimization=77))


def test_an_id_outside_the_vocabulary_is_an_error_and_leaves_the_session_whole(
    bundle: Bundle, session: LibrarySession
) -> None:
    expected = session.run(some_inputs(bundle))
    with pytest.raises(GraphError, match="indices element out of data bounds"):
        session.run(some_inputs(bundle, [2, 99_999_999, 3]))
    assert session.run(some_inputs(bundle)) == expected


def test_runs_leave_no_memory_behind(bundle: Bundle, session: LibrarySession) -> None:
    inputs, process = some_inputs(bundle, [2, 3]), psutil.Process()
    for _ in range(200):
        session.run(inputs)
    before = process.memory_info().rss
    for _ in range(LEAK_RUNS):
        session.run(inputs)
    assert (process.memory_info().rss - before) / 2**20 < LEAK_MIB


def test_without_the_library_the_binding_answers(
    bundle: Bundle, session: LibrarySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_session, "library", lambda: None)
    binding = open_graph(bundle.path / MODEL, GraphOptions(1, ALL_OPTIMIZATION))
    assert isinstance(binding, BindingSession)
    assert binding.run(some_inputs(bundle)) == session.run(some_inputs(bundle))


def test_a_single_text_needs_neither_numpy_nor_the_binding(bundle_path: Path) -> None:
    script = (
        "from model.classifier import Classifier; "
        "classifier = Classifier.load(sys.argv[1]); classifier.predict(['raw honey'] * 8); "
        "few = {'numpy', 'onnxruntime', 'dataclasses', 'inspect', 'typing'} & set(sys.modules); "
        "classifier.predict(['raw honey'] * 9); "
        "print(sorted(few), 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path += {sys.path!r}; {script}",
            bundle_path,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[] True\n"
