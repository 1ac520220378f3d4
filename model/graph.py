"""Is there a copy of a bundle's graph that opens faster on this machine?

The copy is optimized already, and its weights lie in a file of their own that is mapped, not
read: rows of the embedding that no text needs never reach memory. It stands outside the bundle,
in a folder named after all that it depends on, so a copy made elsewhere is never opened. Where
there is none, or it cannot be opened, the bundle's own graph is.

onnxruntime can save weights in the order in which its kernels want them, too. That opens faster
still, and answers wrongly (1.31.1, MatMulNBits with 8 bits): see profiling/LOG.md.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from pathlib import Path

import numpy as np

# onnxruntime's telemetry starts a thread at its import, which a fork loses, keeps a cache on disk
# and calls home. This must stand before that import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

from model.bundle import MODEL, Bundle, BundleError

GRAPHS = Path(__file__).resolve().parent.parent / ".graphs"
WEIGHTS = "weights.bin"
CPUINFO = Path("/proc/cpuinfo")
FEATURES = ("flags", "Features")  # x86, ARM
LAYOUT = 1
"""Goes up when the way in which a copy is made changes."""
TOLERANCE = 1e-5


def open_graph(bundle: Bundle, threads: int, graphs: Path = GRAPHS) -> InferenceSession:
    """A session of the copy when it can be had, else of the bundle; raises what onnxruntime does.

    Threads never spin: spinning burns processor time between requests, which is billed.
    """
    copy = folder(bundle, graphs) / MODEL
    if copy.exists():
        try:
            return _open(copy, _as_it_is(threads))
        except Exception as error:  # onnxruntime's own exceptions share no narrower base
            print(f"{copy}: not used, make it anew: {error}", file=sys.stderr)
    return _open(bundle.path / MODEL, session_options(threads))


def session_options(threads: int) -> SessionOptions:
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


def folder(bundle: Bundle, graphs: Path = GRAPHS) -> Path:
    """Where this bundle's copy for this machine is or would be."""
    parts = [
        str(LAYOUT),
        onnxruntime.__version__,
        platform.machine(),
        _cpu_features(),
        bundle.model_sha256,
    ]
    return graphs / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def prepare(bundle: Bundle, graphs: Path = GRAPHS) -> Path:
    """Make the copy, compare its answers with the bundle's, and move it into place whole."""
    target = folder(bundle, graphs)
    aside = graphs / f".{target.name}.{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        options = session_options(1)
        options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(aside / MODEL)
        prefix = "session.optimized_model_external_initializers_"
        options.add_session_config_entry(f"{prefix}file_name", WEIGHTS)
        options.add_session_config_entry(f"{prefix}min_size_in_bytes", "1024")
        original = _open(bundle.path / MODEL, options)
        _compare(bundle, original, _open(aside / MODEL, _as_it_is(1)))
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _compare(bundle: Bundle, original: InferenceSession, copy: InferenceSession) -> None:
    """Raises BundleError when the copy answers otherwise on rows of all ids' range."""
    first = min(task.control_id for task in bundle.tasks)
    ids = np.linspace(1, first - 1, 8 * (bundle.max_tokens - 1)).astype(np.int64).reshape(8, -1)
    controls = [[task.control_id for task in bundle.tasks]] * len(ids)
    ids = np.concatenate([ids, np.array(controls, np.int64)], axis=1)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    expected, found = (session.run(None, inputs)[0] for session in (original, copy))
    worst = float(np.abs(expected - found).max())
    if not worst <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise BundleError(f"{bundle.path}: its optimized copy answers otherwise, by {worst:g}")


def _as_it_is(threads: int) -> SessionOptions:
    """A copy is optimized already."""
    options = session_options(threads)
    options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def _open(path: Path, options: SessionOptions) -> InferenceSession:
    return InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _cpu_features() -> str:
    """What the processor can do, as the kernel tells it; empty where it does not."""
    try:
        with CPUINFO.open() as file:
            for line in file:
                if line.startswith(FEATURES):
                    return " ".join(sorted(line.partition(":")[2].split()))
    except OSError:
        pass
    return ""
