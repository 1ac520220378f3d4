"""The torch networks of `python -m profiling stages`: made, and timed in a process of their own.

    python -m training.studies.lineage_networks make BUNDLE DIR
    python -m training.studies.lineage_networks answer text|ids NETWORK ASKED RUNS

`make` writes networks with random weights, since speed does not depend on them:

DIR/bert      BERT-base, 12 layers of 768, one control token per task, as torch and ONNX
DIR/teacher   the bundle's teacher: 6 layers of 384
DIR/student   the bundle's student: 3 layers of 384, as fp32 and int8

All take texts of 64 tokens, control tokens included. `answer` loads one of them on torch, on one
thread. ASKED is a text, answered with probabilities, or a number of tokens, answered with logits.
It prints a line of JSON at its first answer and one with the milliseconds of RUNS more, then waits
for its input to close, so that its memory can be measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from model.bundle import TOKENIZER, read_bundle
from model.encoding import encode
from training.fit.network import ControlTokenClassifier, Shape, load_network, save_network

MAX_TOKENS = 64
BERT_PIECES = 30522
Answer = Callable[[], object]


def make(bundle: Path, folder: Path) -> None:
    """Write all networks into `folder`; their tasks are those of `bundle`."""
    from training.quantize.export import export_onnx
    from training.quantize.schemes import quantize_onnx
    from training.recipe import Quantize

    tasks = read_bundle(bundle).tasks
    head_sizes = tuple(len(task.labels) for task in tasks)
    pieces = min(task.control_id for task in tasks)
    torch.manual_seed(0)
    for name, layers, width, vocabulary in (
        ("bert", 12, 768, BERT_PIECES),
        ("teacher", 6, 384, pieces),
        ("student", 3, 384, pieces),
    ):
        network = random_network(layers, width, vocabulary, head_sizes)
        save_network(network, folder / name)
        export_onnx(network, folder / name / "fp32.onnx")
        shutil.copyfile(bundle / TOKENIZER, folder / name / TOKENIZER)
        print(folder / name)
    student = folder / "student"
    quantize_onnx(student / "fp32.onnx", student / "int8.onnx", Quantize())


def random_network(
    layers: int, width: int, pieces: int, head_sizes: tuple[int, ...]
) -> ControlTokenClassifier:
    """An encoder of BERT's proportions with a head per control token."""
    from transformers import BertConfig

    config = BertConfig(
        num_hidden_layers=layers,
        hidden_size=width,
        intermediate_size=4 * width,
        num_attention_heads=12,
        vocab_size=pieces + len(head_sizes),
        max_position_embeddings=MAX_TOKENS + 1,
    )
    return ControlTokenClassifier(Shape(config.to_dict(), pieces, MAX_TOKENS, head_sizes)).eval()


def text_answer(folder: Path, text: str) -> Answer:
    """The text's probabilities for every task, encoded anew for each answer."""
    network = load_network(folder)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    control_ids = network.control_ids.tolist()

    @torch.inference_mode()
    def answer() -> object:
        (row,) = encode(tokenizer, [text], MAX_TOKENS - len(control_ids)).ids
        ids = torch.tensor([[*row, *control_ids]])
        parts = network(ids, torch.ones_like(ids)).split(network.shape.head_sizes, -1)
        return [part.softmax(-1).tolist() for part in parts]

    return answer


def ids_answer(folder: Path, tokens: str) -> Answer:
    """The logits of a row of so many ids, those of the control tokens included."""
    network = load_network(folder)
    control_ids = network.control_ids.tolist()
    ids = torch.tensor([[*range(5, 5 + int(tokens) - len(control_ids)), *control_ids]])

    @torch.inference_mode()
    def answer() -> object:
        return network(ids, torch.ones_like(ids))

    return answer


def print_times(answer: Answer, runs: int) -> None:
    """Answer, print, time `runs` more answers, print, wait for the input to close."""
    answer()
    print(json.dumps({"answered": True}), flush=True)
    run_ms = []
    for _ in range(runs):
        start_s = time.perf_counter()
        answer()
        run_ms.append((time.perf_counter() - start_s) * 1000)
    print(json.dumps({"run_ms": run_ms}), flush=True)
    sys.stdin.read()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.studies.lineage_networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("make", help="write the networks, random weights")
    command.add_argument("bundle", type=Path, help="its tasks and tokenizer are the networks'")
    command.add_argument("folder", type=Path, help="where the networks go")
    command = commands.add_parser("answer", help="load one network on torch and time it")
    command.add_argument("kind", choices=("text", "ids"), help="what is given to the network")
    command.add_argument("network", type=Path, help="a folder that make wrote")
    command.add_argument("asked", help="the text, or the number of ids")
    command.add_argument("runs", type=int, help="answers to time")
    options = parser.parse_args(arguments)
    if options.command == "make":
        make(options.bundle, options.folder)
    else:
        torch.set_num_threads(1)
        load = text_answer if options.kind == "text" else ids_answer
        print_times(load(options.network, options.asked), options.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
