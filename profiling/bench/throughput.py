"""How many texts a second does a long list get, and how far is that from the graph's own limit?

    python -m profiling throughput --threads 1 2 --out profiling/results

Contenders answer the same real texts in one process and take turns: the classifier text by text,
batches as they come, the classifier's own way (batches of like length), the graph alone on
inputs made before (the limit), and a transformers pipeline on torch around a network of the shape
of the shipped student, 3 layers of 384. The pipeline answers one task where the others answer all,
and its weights are random: speed does not depend on them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.bundle import TOKENIZER, Bundle, BundleError
from model.classifier import CHUNK_PADDED_TOKENS, CHUNK_ROWS, Classifier
from model.encoding import chunks, graph_inputs
from model.session import open_session, usable_copy
from model.softmax import Softmax
from profiling import machine
from profiling.bench import result
from profiling.percentiles import summarize
from tables.text import markdown

BATCH = 32
OURS, LIMIT, PIPELINE = "ours: one list", "the graph alone", "transformers pipeline, one task"
Work = Callable[[], object]


def main(arguments: Sequence[str]) -> int:
    """Measure, print Markdown, and write throughput.json and throughput.md to `--out`."""
    parser = result.parser("throughput", __doc__)
    parser.add_argument("--data", type=Path, default=result.TEXTS, help="JSONL.gz with `text`")
    parser.add_argument("--texts", type=int, default=10_000, help="default: 10000")
    parser.add_argument("--rounds", type=int, default=5, help="of each, in turn; default: 5")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="default: 1")
    options = parser.parse_args(arguments)
    if min(options.texts, options.rounds, *options.threads) < 1:
        parser.error("--texts, --rounds and --threads are 1 or more")
    try:
        texts = result.sample(options.data, options.texts)
        report: dict[str, Any] = {
            "machine": machine.describe(),
            "texts": len(texts),
            "threads": {
                str(threads): _measure(options.bundle, texts, threads, options.rounds)
                for threads in options.threads
            },
        }
    except (BundleError, OSError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(text := table(report))
    result.write("throughput", report, text, options.out)
    return 0


def _measure(path: Path, texts: list[str], threads: int, rounds: int) -> dict[str, Any]:
    classifier = Classifier.load(path, threads)
    tokens = classifier.predict_detailed(texts).tokens
    works = contenders(classifier, texts, threads)
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name, work in works.items():
            start_s = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start_s)
            print(f"{number + 1}/{rounds} {name}: {seconds[name][-1]:.2f} s", file=sys.stderr)
    return {"tokens": tokens, "seconds": seconds}


def contenders(classifier: Classifier, texts: list[str], threads: int) -> dict[str, Work]:
    """What answers all texts once, by name; each has run once on a few."""
    bundle = classifier.bundle
    session = open_session(bundle, threads, usable_copy(bundle))
    softmax = Softmax(bundle.tasks)
    control_ids = [task.control_id for task in bundle.tasks]
    ids = classifier.encode(texts).ids
    lengths = [len(row) + len(control_ids) for row in ids]
    ready = [
        graph_inputs([ids[index] for index in chunk], control_ids)
        for chunk in chunks(lengths, CHUNK_ROWS, CHUNK_PADDED_TOKENS)
    ]

    def naive() -> None:
        for start in range(0, len(texts), BATCH):
            batch = classifier.encode(texts[start : start + BATCH]).ids
            logits = np.frombuffer(session.run(graph_inputs(batch, control_ids)), np.float32)
            softmax(logits.reshape(len(batch), -1))

    pipeline = _pipeline(bundle, threads)
    works: dict[str, Work] = {
        "text by text": lambda: [classifier.predict([text]) for text in texts],
        f"batches of {BATCH} as they come": naive,
        OURS: lambda: classifier.predict(texts),
        LIMIT: lambda: [session.run(inputs) for inputs in ready],
        PIPELINE: lambda: pipeline(texts, batch_size=BATCH),
    }
    pipeline(texts[:BATCH], batch_size=BATCH)
    session.run(ready[0])
    return works


def _pipeline(bundle: Bundle, threads: int) -> Any:
    """A pipeline around BERT of the shipped student's shape: 3 layers of 384."""
    import torch
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
        pipeline,
    )

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config = BertConfig(
        num_hidden_layers=3,
        hidden_size=384,
        intermediate_size=4 * 384,
        num_attention_heads=12,
        vocab_size=min(task.control_id for task in bundle.tasks),
        id2label=dict(enumerate(bundle.tasks[0].labels)),
    )
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(bundle.path / TOKENIZER),
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    model = BertForSequenceClassification(config)
    model.eval()  # type: ignore[no-untyped-call]
    return pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")


def table(report: dict[str, Any]) -> str:
    """Markdown, how many times ours is as fast (median of paired rounds), and the machine."""
    texts = report["texts"]
    header = (f"{texts} texts", "threads", "n", "seconds (p95)", "texts/s", "tokens/s")
    rows, notes = [], []
    for threads, measured in report["threads"].items():
        for name, seconds in measured["seconds"].items():
            summary = summarize(seconds)
            median_s = summary["median"]
            cells = (f"{median_s:.2f} ({summary['p95']:.2f})", f"{texts / median_s:.0f}")
            tokens_per_s = f"{measured['tokens'] / median_s:.0f}"
            rows.append((name, threads, str(summary["n"]), *cells, tokens_per_s))
            if name != OURS:
                paired = zip(seconds, measured["seconds"][OURS], strict=True)
                ratio = statistics.median(other_s / our_s for other_s, our_s in paired)
                notes.append(f"- threads {threads}: {ratio:.2f} times as fast as {name}")
    parts = (markdown(header, rows), "\n".join(notes), machine.sentence(report["machine"]))
    return "\n\n".join(parts)
