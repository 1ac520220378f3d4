"""A bundle that answers: tokenizer, graph and softmax behind one `predict`.

    classifier = Classifier.load("model/ingredients")
    classifier.predict(["raw honey"], tasks=["source"])
    [{"source": [{"label": "animal_product", "score": 0.98}]}]

Importing this module imports numpy; onnxruntime and tokenizers wait for `load`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from model.bundle import MANIFEST, MODEL, TOKENIZER, Bundle, BundleError, Task, read_bundle
from model.cpus import usable_cpus
from model.encoding import Encoded, chunks, encode, graph_inputs
from model.softmax import Softmax
from profiling.timer import timer

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

WINDOW_TEXTS = 2048
"""Texts held as ids at once; chunks of like length are made inside a window."""
CHUNK_ROWS = 128
CHUNK_PADDED_TOKENS = 128
"""Size of one run of the graph, padding included: it bounds the memory of the activations.

Eight threads with 32 long texts each, shipped bundle, one run at a time: 512 tokens reach 112 MB,
256 reach 101 MB, 128 reach 89 MB, for the same processor time.
"""


class Label(TypedDict):
    """One answer. `score` is a probability."""

    label: str
    score: float


Prediction = dict[str, list[Label]]
"""The answers to one text, by task; scores descend."""


@dataclass(frozen=True)
class Detailed:
    """Predictions, and what the texts cost."""

    predictions: list[Prediction]
    truncated: list[int]
    """Ascending indices of the texts that were cut to the bundle's `max_tokens`."""
    tokens: int
    """Tokens of all texts as they were run, without control tokens and padding."""


class Classifier:
    """Answers a bundle's tasks. Threads may share one."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        """Load the graph and the tokenizer of a verified bundle; raises BundleError.

        `threads` share one run of the graph.
        """
        self.bundle = bundle
        self._tokenizer = _load_tokenizer(bundle.path / TOKENIZER)
        self._session = _load_session(bundle, threads)
        self._free_cpus = threading.BoundedSemaphore(max(1, usable_cpus() // threads))
        self._softmax = Softmax(bundle.tasks)
        self._heads = bundle.heads
        self._tasks = {task.name: task for task in bundle.tasks}
        self._check_agreement()

    @classmethod
    def load(cls, path: str | Path, threads: int = 1) -> Classifier:
        """Verify and load the bundle at `path`; raises BundleError naming what is wrong."""
        with timer.span("verify"):
            bundle = read_bundle(path)
        return cls(bundle, threads)

    def predict(
        self,
        texts: Sequence[str],
        tasks: Sequence[str] | None = None,
        top_k: int = 1,
        min_score: Mapping[str, float] | None = None,
    ) -> list[Prediction]:
        """The answers to each text, by task, in the order of `tasks`; see `answers`."""
        return self.predict_detailed(texts, tasks, top_k, min_score).predictions

    def predict_detailed(
        self,
        texts: Sequence[str],
        tasks: Sequence[str] | None = None,
        top_k: int = 1,
        min_score: Mapping[str, float] | None = None,
    ) -> Detailed:
        """As `predict`, and which texts were cut and how many tokens were run."""
        requested = self._requested(tasks, top_k, min_score)
        predictions: list[Prediction] = []
        truncated: list[int] = []
        tokens = 0
        for start, window in _windows(texts):
            encoded = self.encode(window)
            predictions += self.answers(self._run(encoded, requested), tasks, top_k, min_score)
            truncated += [start + index for index in encoded.truncated]
            tokens += sum(map(len, encoded.ids))
        return Detailed(predictions, truncated, tokens)

    def logits(
        self, texts: Sequence[str], tasks: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """The graph's float32 logits, [texts, labels of all tasks in the bundle's order].

        They are before temperature. Columns of tasks not in `tasks` mean nothing.
        """
        requested = self._requested(tasks)
        runs = [self._run(self.encode(window), requested) for _, window in _windows(texts)]
        return np.concatenate(runs) if runs else np.empty((0, self._heads.width), np.float32)

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores of the same shape as `logits`, [texts, labels of all tasks]."""
        return self._softmax(logits)

    @timer.span("softmax")
    def answers(
        self,
        logits: NDArray[np.float32],
        tasks: Sequence[str] | None = None,
        top_k: int = 1,
        min_score: Mapping[str, float] | None = None,
    ) -> list[Prediction]:
        """The answers that `logits`, [texts, labels of all tasks], hold for each text.

        A single-label task has its `top_k` likeliest labels (all of them when it has fewer),
        a multi-label task every label whose probability reaches its threshold, perhaps none.
        Labels below the task's `min_score` are left out, so that a list may be empty: no answer.
        Raises ValueError for a task the bundle does not know and for a `top_k` below 1.
        """
        requested = self._requested(tasks, top_k, min_score)
        probabilities, minimum = self._softmax(logits), min_score or {}
        by_task = [
            _labels(
                task, self._heads[task.name].of(probabilities), top_k, minimum.get(task.name, 0)
            )
            for task in requested
        ]
        names = [task.name for task in requested]
        return [dict(zip(names, labels, strict=True)) for labels in zip(*by_task, strict=True)]

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Ids of each text, and which texts were cut; all texts are held at once."""
        _refuse_one_string(texts)
        with timer.span("tokenize"):
            return encode(self._tokenizer, texts, self.bundle.max_tokens)

    def _check_agreement(self) -> None:
        """What only shows once the files are open; raises BundleError."""
        problems = []
        ids = self._tokenizer.get_vocab_size(with_added_tokens=True)
        first = min(task.control_id for task in self.bundle.tasks)
        if ids > first:
            problems.append(f"{TOKENIZER}: has {ids} ids, {MANIFEST} gives {first} to a task")
        if self._tokenizer.truncation is not None or self._tokenizer.padding is not None:
            problems.append(f"{TOKENIZER}: truncates or pads; export it without")
        columns, width = self._session.get_outputs()[0].shape[-1], self._heads.width
        if columns != width:
            problems.append(f"{MODEL}: gives {columns} logits, {MANIFEST} names {width} labels")
        if problems:
            raise BundleError(self.bundle.path, *problems)

    @timer.span("run")
    def _run(self, encoded: Encoded, requested: list[Task]) -> NDArray[np.float32]:
        control_ids = [task.control_id for task in requested]
        lengths = [len(row) + len(control_ids) for row in encoded.ids]
        logits = np.empty((len(lengths), self._heads.width), np.float32)
        for chunk in chunks(lengths, CHUNK_ROWS, CHUNK_PADDED_TOKENS):
            inputs = graph_inputs([encoded.ids[index] for index in chunk], control_ids)
            with self._free_cpu():
                logits[chunk] = self._session.run(None, inputs)[0]
        return logits

    @contextmanager
    def _free_cpu(self) -> Iterator[None]:
        """One run per processor at a time: more would not be faster, and each holds memory."""
        if not self._free_cpus.acquire(blocking=False):
            with timer.span("wait"):
                self._free_cpus.acquire()
        try:
            yield
        finally:
            self._free_cpus.release()

    def _requested(
        self,
        tasks: Sequence[str] | None,
        top_k: int = 1,
        min_score: Mapping[str, float] | None = None,
    ) -> list[Task]:
        """The tasks to answer; raises ValueError when the request cannot be met."""
        known = ", ".join(self._tasks)
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}; ask for 1 label or more")
        if tasks is not None and (isinstance(tasks, str) or not tasks):
            raise ValueError(f"tasks is {tasks!r}; send a list with some of: {known}")
        for names in (tasks or (), min_score or ()):
            unknown = [name for name in names if name not in self._tasks]
            if unknown:
                raise ValueError(f"unknown tasks: {unknown}; this bundle knows: {known}")
        return [self._tasks[name] for name in dict.fromkeys(tasks or self._tasks)]


def _windows(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Stretches of `texts` with the index at which each starts."""
    _refuse_one_string(texts)
    for start in range(0, len(texts), WINDOW_TEXTS):
        yield start, texts[start : start + WINDOW_TEXTS]


def _refuse_one_string(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise TypeError("texts is one string; send a list of strings")


def _labels(
    task: Task, probabilities: NDArray[np.float64], top_k: int, min_score: float
) -> list[list[Label]]:
    """The labels of one task for each text; probabilities [texts, labels of this task]."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    scores = np.take_along_axis(probabilities, order, axis=1)
    if task.thresholds is None:
        chosen = np.zeros(scores.shape, np.bool_)
        chosen[:, :top_k] = True
    else:
        chosen = scores >= np.asarray(task.thresholds)[order]
    chosen &= scores >= min_score
    return [
        [
            {"label": task.labels[column], "score": score}
            for column, score, is_chosen in zip(*row, strict=True)
            if is_chosen
        ]
        for row in zip(order.tolist(), scores.tolist(), chosen.tolist(), strict=True)
    ]


def _load_tokenizer(path: Path) -> Tokenizer:
    # tokenizers starts a thread pool for lists otherwise: more to start, and lost at a fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with timer.span("import_tokenizers"):
        from tokenizers import Tokenizer
    with timer.span("tokenizer"):
        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises nothing narrower
            problem = f"{path.name}: tokenizers cannot read it"
            raise BundleError(path.parent, problem, detail=str(error)) from error


def _load_session(bundle: Bundle, threads: int) -> InferenceSession:
    with timer.span("import_onnxruntime"):
        from model.session import open_session
    with timer.span("session"):
        try:
            return open_session(bundle, threads)
        except Exception as error:  # onnxruntime's own exceptions share no narrower base
            problem = f"{MODEL}: onnxruntime cannot load it"
            raise BundleError(bundle.path, problem, detail=str(error)) from error
