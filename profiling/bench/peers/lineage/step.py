"""One step in a process of its own: loads, answers once, says so, and times more answers.

    python step.py pipelines|bundle PATH TEXT RUNS     # a text in, labels out
    python step.py onnx PATH TOKENS RUNS               # ids in, logits out

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
    """The classifier of a bundle."""
    from model.classifier import Classifier

    classifier = Classifier.load(path)
    return lambda: classifier.predict([text])


def onnx_graph(path: Path, tokens: str) -> Callable[[], object]:
    """An ONNX file, opened as we serve it, and a row of so many ids; three are control tokens."""
    from model.encoding import graph_inputs
    from model.session import GraphOptions, open_graph

    session = open_graph(path, GraphOptions())
    first = json.loads((path.parent / "network.json").read_text())["first_control_id"]
    row = list(range(5, 5 + int(tokens) - 3))
    inputs = graph_inputs([row], [first, first + 1, first + 2])
    return lambda: session.run(inputs)


KINDS = {"pipelines": pipelines, "bundle": bundle, "onnx": onnx_graph}


def main(kind: str, path: str, text_or_tokens: str, runs: str) -> None:
    """Load, answer, time, wait."""
    answer = KINDS[kind](Path(path), text_or_tokens)
    answer()
    print(json.dumps({"answered": True}), flush=True)
    run_ms = []
    for _ in range(int(runs)):
        start_s = time.perf_counter()
        answer()
        run_ms.append((time.perf_counter() - start_s) * 1000)
    print(json.dumps({"run_ms": run_ms}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
