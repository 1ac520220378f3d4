"""One stage in a process of its own: loads, answers once, says so, and times more answers.

    python stage.py pipelines|multitask|bundle PATH TEXT RUNS     # a text in, labels out
    python stage.py torch|onnx PATH TOKENS RUNS                   # ids in, logits out

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


def multitask(path: Path, text: str) -> Callable[[], object]:
    """One BERT-base with a control token per task, on torch."""
    import torch
    from tokenizers import Tokenizer

    from training.fit.network import load_network

    torch.set_num_threads(1)
    network = load_network(path)
    tokenizer = Tokenizer.from_file(str(ROOT / "model" / "ingredients" / "tokenizer.json"))
    controls = network.control_ids.tolist()

    @torch.inference_mode()
    def answer() -> object:
        ids = torch.tensor([[*tokenizer.encode(text).ids, *controls]])
        logits = network(ids, torch.ones_like(ids))
        parts = torch.split(logits, list(network.shape.head_sizes), dim=-1)
        return [torch.softmax(part, dim=-1).tolist() for part in parts]

    return answer


def bundle(path: Path, text: str) -> Callable[[], object]:
    """Our int8 bundle."""
    from model.classifier import Classifier

    classifier = Classifier.load(path)
    return lambda: classifier.predict([text])


def torch_graph(path: Path, tokens: str) -> Callable[[], object]:
    """A saved network on torch."""
    import torch

    from training.fit.network import load_network

    torch.set_num_threads(1)
    network = load_network(path)
    ids = torch.tensor([_row(int(tokens), network.shape.first_control_id)])

    @torch.inference_mode()
    def answer() -> object:
        return network(ids, torch.ones_like(ids))

    return answer


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
    "multitask": multitask,
    "bundle": bundle,
    "torch": torch_graph,
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
