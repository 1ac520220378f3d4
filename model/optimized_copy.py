"""Make a copy of a bundle's graph that opens faster on this machine.

The copy is optimized already, and its weights lie in a file of their own that is mapped, not
read: rows of the embedding that no text needs never reach memory.

onnxruntime can save weights in the order in which its kernels want them, too. That opens faster
still, and answers wrongly (1.31.1, MatMulNBits with 8 bits): see profiling/LOG.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnxruntime import GraphOptimizationLevel, InferenceSession

from model.aside import directory_aside
from model.bundle import MODEL, Bundle, BundleError
from model.session import COPIES, copy_folder, open_copy, open_file, session_options

WEIGHTS = "weights.bin"
TOLERANCE = 1e-5


def make_copy(bundle: Bundle, copies: Path = COPIES) -> Path:
    """Make the copy, compare its answers with the bundle's, and move it into place whole.

    Raises BundleError when they differ.
    """
    target = copy_folder(bundle, copies)
    with directory_aside(target) as aside:
        options = session_options(1)
        options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(aside / MODEL)
        prefix = "session.optimized_model_external_initializers_"
        options.add_session_config_entry(f"{prefix}file_name", WEIGHTS)
        options.add_session_config_entry(f"{prefix}min_size_in_bytes", "1024")
        original = open_file(bundle.path / MODEL, options)
        _compare(bundle, original, open_copy(aside / MODEL, 1))
    return target


def _compare(bundle: Bundle, original: InferenceSession, copy: InferenceSession) -> None:
    """Raise BundleError when the two differ on rows of ids from the whole vocabulary."""
    first_control_id = min(task.control_id for task in bundle.tasks)
    ids = np.linspace(1, first_control_id - 1, 8 * (bundle.max_tokens - 1)).astype(np.int64)
    rows = ids.reshape(8, -1)
    controls = [[task.control_id for task in bundle.tasks]] * len(rows)
    rows = np.concatenate([rows, np.array(controls, np.int64)], axis=1)
    inputs = {"input_ids": rows, "attention_mask": np.ones_like(rows)}
    expected, actual = (session.run(None, inputs)[0] for session in (original, copy))
    difference = float(np.abs(expected - actual).max())
    if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise BundleError(bundle.path, f"its optimized copy answers otherwise, by {difference:g}")
