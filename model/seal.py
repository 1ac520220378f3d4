"""Was this bundle verified when the image was built? Then its start need not wait for hashes.

    seal(bundle)                        # while an image is built: verify, note size and time
    sealed_bundle(path)                 # at a start: the bundle, if no file was touched since
    verify_again(bundle)                # after the first answer: every byte

A seal notes size and modification time of each file of the bundle and of its optimized copy.
Without one, or when a file was touched, everything is hashed before the first answer.
"""

from __future__ import annotations

from pathlib import Path

from model.aside import read_json, write_json
from model.bundle import HASHED, MANIFEST, Bundle, BundleError, read_bundle, read_manifest
from model.session import COPIES, copy_folder, verify_copy

SEAL = "sealed.json"


def seal(bundle: Bundle, copies: Path = COPIES) -> Path:
    """Verify the bundle and its copy, and write the seal; raises BundleError."""
    verify_again(bundle, copies)
    files = [bundle.path.resolve() / name for name in (MANIFEST, *HASHED)]
    folder = copy_folder(bundle, copies)
    if folder.exists():
        files += sorted(folder.iterdir())
    target = copies / SEAL
    copies.mkdir(parents=True, exist_ok=True)
    written = {"digest": bundle.digest, "files": {str(file): _stamp(file) for file in files}}
    write_json(target, written)
    return target


def sealed_bundle(path: str | Path, copies: Path = COPIES) -> Bundle | None:
    """The sealed bundle at `path`; None when there is no seal or it is broken."""
    noted = read_json(copies / SEAL)
    path = Path(path)
    if noted is None or str(path.resolve() / MANIFEST) not in noted["files"]:
        return None
    try:
        if all(_stamp(Path(file)) == stamp for file, stamp in noted["files"].items()):
            return read_manifest(path, noted["digest"])[0]
    except OSError:
        return None
    return None


def verify_again(bundle: Bundle, copies: Path = COPIES) -> None:
    """Hash every file; raises BundleError naming what was altered."""
    if read_bundle(bundle.path).digest != bundle.digest:
        raise BundleError(bundle.path, f"{MANIFEST}: is another one than when it was loaded")
    folder = copy_folder(bundle, copies)
    if folder.exists():
        verify_copy(folder)


def _stamp(file: Path) -> list[int]:
    """Size and time in whole seconds, which is what an image's layers keep."""
    status = file.stat()
    return [status.st_size, int(status.st_mtime)]
