"""The optimized copy of a graph: same answers, never a wrong one, and never needed."""

from __future__ import annotations

import os
import shutil
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from model import session as model_session
from model.bundle import MODEL, Bundle, read_bundle
from model.encoding import graph_inputs
from model.optimized_copy import make_copy
from model.session import COPY, COPY_MANIFEST, copy_folder, open_session, usable_copy
from model.tokenizer_file import RULES, VOCABULARY

if TYPE_CHECKING:
    from model.session import GraphSession


@pytest.fixture(scope="module")
def bundle(bundle_path: Path) -> Bundle:
    return read_bundle(bundle_path)


@pytest.fixture(scope="module")
def copies(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    own_copies = tmp_path_factory.mktemp("copies")
    make_copy(bundle, own_copies)
    return own_copies


def logits(session: GraphSession, bundle: Bundle) -> array[float]:
    controls = [task.control_id for task in bundle.tasks]
    return session.run(graph_inputs([[2, 300, 4000, 3], [2, 77, 12000, 3]], controls))


def copy_of(copies: Path, target: Path) -> Path:
    shutil.copytree(copies, target)
    return target


def test_the_copy_answers_as_the_bundle_does(bundle: Bundle, copies: Path, tmp_path: Path) -> None:
    copy = open_session(bundle, 1, usable_copy(bundle, copies))
    original = open_session(bundle, 1, None)
    assert (copy.file.name, original.file) == (COPY, bundle.path / MODEL)
    np.testing.assert_allclose(logits(copy, bundle), logits(original, bundle), atol=1e-5)


def test_it_is_the_copy_that_is_opened(bundle: Bundle, copies: Path) -> None:
    moved = bundle.changed(path=Path("/nowhere"))
    assert (
        len(logits(open_session(moved, 1, usable_copy(moved, copies)), bundle))
        == 2 * bundle.heads.width
    )
    with pytest.raises(Exception, match="nowhere"):
        open_session(moved, 1, None)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def zeroed(file: Path) -> None:
    """Some bytes of the weights, which the graph would answer wrongly with."""
    content = bytearray(file.read_bytes())
    content[4_000_000:4_100_000] = bytes(100_000)
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "file", "problem"),
    [
        (cut, COPY, "model.ort: 1000 bytes, copy.json says"),
        (zeroed, COPY, "model.ort: its sha256 is not the one in copy.json; the file was altered"),
        (os.unlink, COPY, "model.ort: No such file or directory"),
        (cut, VOCABULARY, "vocabulary.txt: 1000 bytes, copy.json says"),
        (os.unlink, COPY_MANIFEST, "copy.json: missing or not JSON"),
    ],
)
def test_a_damaged_copy_is_named_and_not_used(
    bundle: Bundle,
    copies: Path,
    tmp_path: Path,
    damage: object,
    file: str,
    problem: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    own_copies = copy_of(copies, tmp_path / "copies")
    assert callable(damage)
    damage(copy_folder(bundle, own_copies) / file)
    session = open_session(bundle, 1, usable_copy(bundle, own_copies))
    expected = open_session(bundle, 1, None)
    assert session.file == bundle.path / MODEL
    assert logits(session, bundle) == logits(expected, bundle)
    assert f"{problem}" in capfd.readouterr().err


def test_another_model_or_version_has_another_folder_another_processor_has_not(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = copy_folder(bundle)
    assert copy_folder(bundle.changed(model_sha256="0" * 64)) != here
    assert copy_folder(bundle.changed(tokenizer_sha256="0" * 64)) != here
    monkeypatch.setattr(model_session, "onnxruntime_version", lambda: "0.1")
    assert copy_folder(bundle) != here
    assert os.uname().machine in here.name


def test_preparing_twice_leaves_one_whole_copy(
    bundle: Bundle, copies: Path, tmp_path: Path
) -> None:
    own_copies = copy_of(copies, tmp_path / "copies")
    target = make_copy(bundle, own_copies)
    assert [path.name for path in own_copies.iterdir()] == [target.name]
    assert sorted(path.name for path in target.iterdir()) == [
        COPY_MANIFEST,
        COPY,
        RULES,
        VOCABULARY,
    ]
