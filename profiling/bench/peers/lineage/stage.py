"""One stage in a process of its own: loads, answers once, says so, and times more answers.

    python stage.py pipelines|bundle PATH TEXT RUNS     # a text in, labels out
    python stage.py onnx PATH TOKENS RUNS               # ids in, logits out

Prints a line of JSON at its first answer and one with the milliseconds of RUNS more, then waits
for its input to close, so that it can be weighed. One thread each.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT))


def pipelines(path: Path, text: str) -> Callable[[], object]:
    """A transformers pipeline per task."""
    import torch
    from transformers import pipeline

    torch.set_num_threads(1)
    loaded = [
        pipeline("text-classification", model=str(folder), device="cpu")
        for folder in sorted(path.iterdir())
    ]
    return lambda: [ask(text) for ask in loaded]


def bundle(path: Path, text: str) -> Callable[[], object]:
    """Our int8 bundle."""
    from model.classifier import Classifier

    classifier = Classifier.load(path)
    return lambda: classifier.predict([text])


def onnx_graph(path: Path, tokens: str) -> Callable[[], object]:
    """An ONNX file, with the options with which we serve."""
    import numpy as np
    from onnxruntime import InferenceSession

    from model.session import session_options

    session = InferenceSession(path, session_options(1), providers=["CPUExecutionProvider"])
    shape = json.loads((path.parent / "network.json").read_text())
    ids = np.array([_row(int(tokens), shape["first_control_id"])])
    return lambda: session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})


def _row(tokens: int, first_control_id: int) -> list[int]:
    """Text ids and three control ids, `tokens` in all."""
    return [*range(5, 5 + tokens - 3), *range(first_control_id, first_control_id + 3)]


KINDS = {
    "pipelines": pipelines,
    "bundle": bundle,
    "onnx": onnx_graph,
}


def main(kind: str, path: str, asked: str, runs: str) -> None:
    """Load, answer, time, wait."""
    answer = KINDS[kind](Path(path), asked)
    answer()
    print(json.dumps({"answered": True}), flush=True)
    taken_ms = []
    for _ in range(int(runs)):
        began_s = time.perf_counter()
        answer()
        taken_ms.append((time.perf_counter() - began_s) * 1000)
    print(json.dumps({"run_ms": taken_ms}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
