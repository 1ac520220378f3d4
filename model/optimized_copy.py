"""Make a copy of a bundle's graph and tokenizer that opens faster, and note what it must be.

The copy is optimized already and in onnxruntime's own format, which is mapped, not read: rows of
the embedding that no text needs never reach memory. Its optimizations depend on the architecture,
not on the processor's features. The tokenizer's part is in model/tokenizer_file.py.

onnxruntime can save weights in the order in which its kernels want them, too. That opens faster
still, and answers wrongly (1.31.1, MatMulNBits with 8 bits): see profiling/LOG.md.
"""

from __future__ import annotations

from pathlib import Path

from model.aside import directory_aside, write_json
from model.bundle import MODEL, TOKENIZER, Bundle, BundleError, fingerprint
from model.encoding import GraphInputs, graph_inputs
from model.session import (
    COPIES,
    COPY,
    COPY_MANIFEST,
    EXTENDED_OPTIMIZATION,
    GraphOptions,
    copy_folder,
    open_copy,
    open_graph,
)
from model.tokenizer_file import prepare

TOLERANCE = 1e-5
COMPARED_ROWS = 8


def make_copy(bundle: Bundle, copies: Path = COPIES) -> Path:
    """Make the copy, compare its answers with the bundle's, and move it into place whole.

    Raises BundleError when they differ.
    """
    target = copy_folder(bundle, copies)
    with directory_aside(target) as aside:
        saved = GraphOptions(1, EXTENDED_OPTIMIZATION, save_to=aside / COPY)
        original = open_graph(bundle.path / MODEL, saved)
        copy = open_copy(aside, 1)
        inputs = _inputs(bundle)
        expected, actual = original.run(inputs), copy.run(inputs)
        difference = max(abs(a - b) for a, b in zip(expected, actual, strict=True))
        if not difference <= TOLERANCE * max(1.0, *map(abs, expected)):
            problem = f"its optimized copy answers otherwise, by {difference:g}"
            raise BundleError(bundle.path, problem)
        files = [COPY, *prepare(bundle.path / TOKENIZER, aside)]
        write_json(aside / COPY_MANIFEST, {name: fingerprint(aside / name) for name in files})
    return target


def _inputs(bundle: Bundle) -> GraphInputs:
    """Rows of ids from the whole vocabulary."""
    control_ids = [task.control_id for task in bundle.tasks]
    length = bundle.max_tokens - 1
    step = (min(control_ids) - 2) / (COMPARED_ROWS * length)
    ids = [1 + int(step * place) for place in range(COMPARED_ROWS * length)]
    rows = [ids[start : start + length] for start in range(0, len(ids), length)]
    return graph_inputs(rows, control_ids)
