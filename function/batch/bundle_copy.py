"""A bundle of Cloud Storage on the disk of a worker: copied once a machine, verified before use."""

from __future__ import annotations

import fcntl
import hashlib
import tempfile
from pathlib import Path

from apache_beam.io.filesystems import FileSystems
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from model.aside import clear_leftovers, directory_aside
from model.bundle import HASHED, MANIFEST, BundleError, fingerprint, read_bundle

COPIES = "polyhead-bundles"
"""Folder of all copies in the machine's temporary folder; each is named by its sha256."""


def local_bundle(address: str, sha256: str = "") -> Path:
    """The verified folder of a bundle, given by its path or its address (gs://BUCKET/FOLDER).

    `sha256` is that of its bundle.json, which covers the other files; "" takes any. Raises
    BundleError naming what is missing, altered or another bundle's.
    """
    if "://" not in address:
        folder = read_bundle(address).path
        _check_sha256(address, fingerprint(folder / MANIFEST)["sha256"], sha256)
        return folder
    manifest = b"" if sha256 else _content(address, MANIFEST)
    folder = Path(tempfile.gettempdir()) / COPIES / (sha256 or hashlib.sha256(manifest).hexdigest())
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other processes of the machine wait for one copy
        if not _is_whole(folder):
            _copy(address, sha256, folder)
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        read_bundle(folder)
    except BundleError:
        return False
    return bool(fingerprint(folder / MANIFEST)["sha256"] == folder.name)


def _copy(address: str, sha256: str, folder: Path) -> None:
    clear_leftovers(folder.parent, folder.name)
    with directory_aside(folder) as aside:
        for name in (MANIFEST, *HASHED):
            (aside / name).write_bytes(_content(address, name))
        _check_sha256(address, fingerprint(aside / MANIFEST)["sha256"], sha256)
        try:
            read_bundle(aside)
        except BundleError as error:
            raise BundleError(address, error.problem) from None


def _content(address: str, name: str) -> bytes:
    path = FileSystems.join(address, name)
    try:
        with FileSystems.open(path) as file:
            content: bytes = file.read()
            return content
    except (OSError, GoogleAPIError, GoogleAuthError) as error:
        reason = str(error).partition("\n")[0]
        raise BundleError(address, f"{name}: cannot be read", detail=reason) from None


def _check_sha256(address: str, actual: str, expected: str) -> None:
    if expected not in ("", actual):
        problem = f"its sha256 is {actual}, the run began with {expected}; run it again"
        raise BundleError(address, f"{MANIFEST}: {problem}")
