"""The same session on onnxruntime's Python binding, for machines without its C library."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

if TYPE_CHECKING:
    from model.encoding import GraphInputs
    from model.session import GraphOptions

LOG_ERRORS = 3


class BindingSession:
    """One open graph. Threads may share it."""

    def __init__(self, file: Path, options: GraphOptions) -> None:
        """Open `file`; raises what onnxruntime does."""
        self.file = file
        self._session = InferenceSession(
            file, session_options(options), providers=["CPUExecutionProvider"]
        )
        width = self._session.get_outputs()[0].shape[-1]
        self.width = width if isinstance(width, int) else -1

    def run(self, inputs: GraphInputs) -> array[float]:
        """float32 logits, [rows, width] in one flat array; raises what onnxruntime does."""
        return array("f", self._session.run(None, inputs.numpy())[0].tobytes())


def session_options(options: GraphOptions) -> SessionOptions:
    """The options as the binding takes them."""
    session_options = SessionOptions()
    session_options.intra_op_num_threads = options.threads
    session_options.inter_op_num_threads = 1
    session_options.enable_cpu_mem_arena = False
    session_options.log_severity_level = LOG_ERRORS
    session_options.graph_optimization_level = GraphOptimizationLevel(options.optimization)
    if options.save_to is not None:
        session_options.optimized_model_filepath = str(options.save_to)
    for key, value in options.entries.items():
        session_options.add_session_config_entry(key, value)
    return session_options


def version() -> str:
    """Of onnxruntime."""
    return str(onnxruntime.__version__)
