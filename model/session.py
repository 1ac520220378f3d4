"""Open the session of a bundle's graph, by way of the optimized copy where there is one.

The copy (see model/optimized_copy.py) stands outside the bundle, in a folder named after all that
it depends on, so a copy made elsewhere is never opened. Where there is none, or it cannot be
opened, the graph of the bundle is.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

# onnxruntime's telemetry starts a thread at its import, which a fork loses, keeps a cache on disk
# and calls home. This must stand before that import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

from model.bundle import MODEL, Bundle

COPIES = Path(__file__).resolve().parent.parent / ".graphs"
LAYOUT = 1
"""Goes up when the way in which a copy is made changes."""
CPUINFO = Path("/proc/cpuinfo")
FEATURES = ("flags", "Features")  # x86, ARM


def open_session(bundle: Bundle, threads: int, copies: Path = COPIES) -> InferenceSession:
    """A session of the copy when it can be had, else of the bundle; raises what onnxruntime does.

    Threads never spin: spinning burns processor time between requests, which is billed.
    """
    copy = copy_folder(bundle, copies) / MODEL
    if copy.exists():
        try:
            return open_copy(copy, threads)
        except Exception as error:  # onnxruntime's own exceptions share no narrower base
            print(f"{copy}: not used, make it anew: {error}", file=sys.stderr)
    return open_file(bundle.path / MODEL, session_options(threads))


def session_options(threads: int) -> SessionOptions:
    """The options of every session; `threads` share one run of the graph."""
    options = SessionOptions()
    # Left alone, onnxruntime counts the host's processors, not those of the container.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena never gives memory back: one burst of long texts would be held for good. Without
    # it, eight threads of long texts leave less than half as much, and short ones are no slower.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors
    return options


def open_copy(file: Path, threads: int) -> InferenceSession:
    """A session of a copy, which is optimized already."""
    options = session_options(threads)
    options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
    return open_file(file, options)


def open_file(file: Path, options: SessionOptions) -> InferenceSession:
    """A session of any graph; raises what onnxruntime does."""
    return InferenceSession(file, options, providers=["CPUExecutionProvider"])


def copy_folder(bundle: Bundle, copies: Path = COPIES) -> Path:
    """Where this bundle's copy for this machine is or would be."""
    machine = f"{onnxruntime.__version__}\n{platform.machine()}\n{_cpu_features()}"
    made_from = f"{LAYOUT}\n{machine}\n{bundle.model_sha256}"
    return copies / hashlib.sha256(made_from.encode()).hexdigest()[:16]


def _cpu_features() -> str:
    """The features of the processor as the kernel lists them; empty where it does not."""
    with suppress(OSError), CPUINFO.open() as file:
        for line in file:
            if line.startswith(FEATURES):
                return " ".join(sorted(line.partition(":")[2].split()))
    return ""
