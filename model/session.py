"""Open the session of a bundle's graph, by way of the optimized copy where there is one.

The copy (see model/optimized_copy.py) stands outside the bundle, in a folder named after all that
it depends on, so a copy made elsewhere is never opened. Where there is none, or it was altered or
cannot be opened, the graph of the bundle is.
"""

from __future__ import annotations

import os
import sys
from array import array
from pathlib import Path

# onnxruntime's telemetry starts a thread, keeps a cache on disk and calls home. It reads this when
# the library is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from model.aside import read_json
from model.bundle import MODEL, Bundle, BundleError, file_problems
from model.onnxruntime_library import LibrarySession, library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from model.encoding import GraphInputs

    class GraphSession(Protocol):
        """An open graph. Threads may share it."""

        file: Path
        width: int
        """Columns of the logits; -1 where the graph leaves them open."""

        def run(self, inputs: GraphInputs) -> array[float]:
            """float32 logits, [rows, width] in one flat array."""


COPIES = Path(__file__).resolve().parent.parent / ".graphs"
COPY = "model.ort"
COPY_MANIFEST = "copy.json"
"""sha256 and bytes of every other file of the copy."""
LAYOUT = 4
"""Goes up when the way in which a copy is made changes."""
FROM_FILE, READ, MAPPED = "file", "read", "mapped"
"""How a graph's bytes come to the library: by itself; read by us and used where they are, so that
nobody can alter them any more; or mapped, so that what is not looked at never reaches memory."""
NO_OPTIMIZATION, EXTENDED_OPTIMIZATION, ALL_OPTIMIZATION = 0, 2, 99
"""GraphOptimizationLevel."""


class GraphOptions:
    """How a graph is opened.

    Threads never spin: spinning burns processor time between requests, which is billed. There is
    no arena: it never gives memory back, so that one burst of long texts would be held for good.
    """

    def __init__(
        self,
        threads: int = 1,
        optimization: int = ALL_OPTIMIZATION,
        save_to: Path | None = None,
        source: str = FROM_FILE,
    ) -> None:
        """`threads` share one run. The optimized graph is saved to `save_to`, in onnxruntime's own
        format, which may be READ or MAPPED when it is opened."""
        self.threads = threads
        self.optimization = optimization
        self.save_to = save_to
        self.source = source
        self.entries = {"session.intra_op.allow_spinning": "0"}
        if save_to is not None:
            self.entries["session.save_model_format"] = "ORT"
        if source != FROM_FILE:
            self.entries["session.use_ort_model_bytes_directly"] = "1"
            self.entries["session.use_ort_model_bytes_for_initializers"] = "1"


def open_session(
    bundle: Bundle, threads: int, copy: Path | None, *, sealed: bool = False
) -> GraphSession:
    """A session of the copy in the folder `copy`, else of the bundle; raises what onnxruntime does.

    `file` of the session says which it is. Nobody writes to what is `sealed`, so it is mapped.
    """
    if copy is not None:
        try:
            return open_copy(copy, threads, MAPPED if sealed else READ)
        except Exception as error:  # onnxruntime's own exceptions share no narrower base
            print(f"{copy}: not used, make it anew: {error}", file=sys.__stderr__)
    return open_graph(bundle.path / MODEL, GraphOptions(threads))


def usable_copy(bundle: Bundle, copies: Path = COPIES, *, sealed: bool = False) -> Path | None:
    """The folder of the copy; None where there is none, or it was altered, which is said aloud.

    What is `sealed` is not verified here.
    """
    folder = copy_folder(bundle, copies)
    if not folder.exists():
        return None
    if not sealed:
        try:
            verify_copy(folder)
        except BundleError as error:
            print(f"not used, make it anew: {error}", file=sys.__stderr__)
            return None
    return folder


def open_copy(folder: Path, threads: int, source: str = READ) -> GraphSession:
    """A session of the copy in `folder`, which is optimized already; `source`: READ or MAPPED."""
    return open_graph(folder / COPY, GraphOptions(threads, NO_OPTIMIZATION, source=source))


def copy_files(bundle: Bundle) -> list[Path]:
    """The files of the bundle's copy; none where there is no copy."""
    folder = copy_folder(bundle)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def verify_copy(folder: Path) -> None:
    """Raise BundleError naming each file of a copy that is missing or altered."""
    fingerprints = read_json(folder / COPY_MANIFEST)
    if fingerprints is None:
        raise BundleError(folder, f"{COPY_MANIFEST}: missing or not JSON")
    problems = file_problems(folder, COPY_MANIFEST, fingerprints)
    if problems:
        raise BundleError(folder, *problems)


def open_graph(file: Path, options: GraphOptions) -> GraphSession:
    """A session of any graph: on the C library where there is one, else on the binding."""
    opened = library()
    if opened is not None:
        return LibrarySession(opened, file, options)
    from model.onnxruntime_binding import BindingSession

    return BindingSession(file, options)


def onnxruntime_version() -> str:
    """Of the library that opens graphs here."""
    opened = library()
    if opened is not None:
        return opened.version
    from model.onnxruntime_binding import version

    return version()


def copy_folder(bundle: Bundle, copies: Path = COPIES) -> Path:
    """Where this bundle's copy is or would be; the same on all processors of an architecture."""
    made_from = (bundle.model_sha256[:16], bundle.tokenizer_sha256[:16])
    made_by = (onnxruntime_version(), os.uname().machine, str(LAYOUT))
    return copies / "-".join((*made_from, *made_by))
