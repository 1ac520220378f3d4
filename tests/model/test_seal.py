"""A seal spares a start the hashes, and damage is found all the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from function.http.loading import LazyClassifier
from model import seal as model_seal
from model.bundle import MANIFEST, MODEL, TOKENIZER, BundleError, read_bundle
from model.optimized_copy import make_copy
from model.seal import SEAL, seal, sealed_bundle, verify_again
from model.session import COPY, copy_folder


@pytest.fixture
def places(bundle_path: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A sealed bundle and the folder of its copy and its seal."""
    bundle, copies = tmp_path / "bundle", tmp_path / "copies"
    shutil.copytree(bundle_path, bundle)
    make_copy(read_bundle(bundle), copies)
    seal(read_bundle(bundle), copies)
    return bundle, copies


def flip(file: Path, *, unnoticed: bool = False) -> None:
    """Change a byte in the middle; `unnoticed`: the file's time says that nothing was written."""
    status, content = file.stat(), bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    if unnoticed:
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    else:
        os.utime(file, (status.st_atime, status.st_mtime + 60))


def test_a_sealed_bundle_is_the_verified_one(places: tuple[Path, Path]) -> None:
    bundle, copies = places
    assert sealed_bundle(bundle, copies) == read_bundle(bundle)
    assert sealed_bundle(bundle.parent, copies) is None
    verify_again(read_bundle(bundle), copies)


@pytest.mark.parametrize("name", [MANIFEST, MODEL, TOKENIZER, COPY, SEAL])
def test_a_touched_file_breaks_the_seal(places: tuple[Path, Path], name: str) -> None:
    bundle, copies = places
    folders = {COPY: copy_folder(read_bundle(bundle), copies), SEAL: copies}
    file = folders.get(name, bundle) / name
    if name == SEAL:
        file.write_text("{")
    else:
        flip(file)
    assert sealed_bundle(bundle, copies) is None


@pytest.mark.parametrize("name", [MODEL, TOKENIZER])
def test_damage_that_no_clock_shows_is_found_after_the_first_answer(
    places: tuple[Path, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, copies = places
    monkeypatch.setattr(model_seal, "COPIES", copies)
    flip(bundle / name, unnoticed=True)
    broken = sealed_bundle(bundle, copies)
    assert broken is not None
    with pytest.raises(BundleError, match=f"{name}: its sha256 is not the one in bundle.json"):
        verify_again(broken, copies)


def test_a_copy_that_was_altered_is_found_after_the_first_answer(
    places: tuple[Path, Path],
) -> None:
    bundle, copies = places
    flip(copy_folder(read_bundle(bundle), copies) / COPY, unnoticed=True)
    broken = sealed_bundle(bundle, copies)
    assert broken is not None
    with pytest.raises(BundleError, match=r"model\.ort: its sha256 is not the one in copy\.json"):
        verify_again(broken, copies)


def test_a_damaged_bundle_cannot_be_sealed(places: tuple[Path, Path]) -> None:
    bundle, copies = places
    verified = read_bundle(bundle)
    flip(bundle / MODEL)
    with pytest.raises(BundleError, match=r"model\.onnx: its sha256"):
        seal(verified, copies)


def test_without_a_seal_everything_is_verified_first(bundle_path: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle_path, tmp_path / "bundle")
    flip(tmp_path / "bundle" / TOKENIZER, unnoticed=True)
    lazy = LazyClassifier(tmp_path / "bundle", threads=1, trusts_seal=True)
    with pytest.raises(BundleError, match=r"tokenizer\.json: its sha256"):
        lazy.get()
