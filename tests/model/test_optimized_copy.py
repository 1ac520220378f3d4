"""The optimized copy of a graph: same answers, never a wrong one, and never needed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from model import session as model_session
from model.bundle import MODEL, Bundle, read_bundle
from model.optimized_copy import WEIGHTS, make_copy
from model.session import copy_folder, open_session


@pytest.fixture(scope="module")
def bundle(bundle_path: Path) -> Bundle:
    return read_bundle(bundle_path)


@pytest.fixture(scope="module")
def copies(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    own_copies = tmp_path_factory.mktemp("copies")
    make_copy(bundle, own_copies)
    return own_copies


def logits(session: InferenceSession, bundle: Bundle) -> NDArray[np.float32]:
    controls = [task.control_id for task in bundle.tasks]
    ids = np.array([[2, 300, 4000, 3, *controls], [2, 77, 12000, 3, *controls]], np.int64)
    values: NDArray[np.float32] = session.run(
        None, {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    )[0]
    return values


def copy_of(copies: Path, target: Path) -> Path:
    shutil.copytree(copies, target)
    return target


def test_the_copy_answers_as_the_bundle_does(bundle: Bundle, copies: Path, tmp_path: Path) -> None:
    copy = open_session(bundle, 1, copies)
    original = open_session(bundle, 1, tmp_path / "none")
    np.testing.assert_allclose(logits(copy, bundle), logits(original, bundle), atol=1e-5)


def test_it_is_the_copy_that_is_opened(bundle: Bundle, copies: Path) -> None:
    moved = replace(bundle, path=Path("/nowhere"))
    assert logits(open_session(moved, 1, copies), bundle).shape[0] == 2
    with pytest.raises(Exception, match="nowhere"):
        open_session(moved, 1, copies / "none")


@pytest.mark.parametrize("damaged", [MODEL, WEIGHTS])
def test_a_copy_that_cannot_be_opened_is_not_needed(
    bundle: Bundle,
    copies: Path,
    tmp_path: Path,
    damaged: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    own_copies = copy_of(copies, tmp_path / "copies")
    file = copy_folder(bundle, own_copies) / damaged
    file.write_bytes(file.read_bytes()[:1000])
    session = open_session(bundle, 1, own_copies)
    expected = open_session(bundle, 1, tmp_path / "none")
    assert np.array_equal(logits(session, bundle), logits(expected, bundle))
    assert "not used, make it anew" in capfd.readouterr().err


def test_another_model_version_or_processor_has_another_folder(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = copy_folder(bundle)
    assert copy_folder(replace(bundle, model_sha256="0" * 64)) != here
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t\t: fpu sse2\n")
    monkeypatch.setattr(model_session, "CPUINFO", cpuinfo)
    other = copy_folder(bundle)
    assert other != here
    monkeypatch.setattr("onnxruntime.__version__", "0.1")
    assert copy_folder(bundle) not in (here, other)


def test_preparing_twice_leaves_one_whole_copy(
    bundle: Bundle, copies: Path, tmp_path: Path
) -> None:
    own_copies = copy_of(copies, tmp_path / "copies")
    target = make_copy(bundle, own_copies)
    assert [path.name for path in own_copies.iterdir()] == [target.name]
    assert sorted(path.name for path in target.iterdir()) == [MODEL, WEIGHTS]
