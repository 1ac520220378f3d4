"""A bundle that answers: tokenizer, graph and softmax behind one `predict`.

    classifier = Classifier.load("model/ingredients")
    classifier.predict(["raw honey"], tasks=["source"])
    [{"source": [{"label": "animal_product", "score": 0.98}]}]

Importing this module costs next to nothing: onnxruntime and tokenizers wait for `load`, numpy for
a list of more than FEW_TEXTS texts.
"""

from __future__ import annotations

from array import array
from pathlib import Path

from model.answers import AnswerCounts, answers_of, at_least
from model.bundle import MANIFEST, MODEL, TOKENIZER, Bundle, BundleError, Task, read_bundle
from model.cpus import CpuTurns, usable_cpus
from model.encoding import Encoded, chunks, encode, graph_inputs
from model.opening import open_both
from model.softmax import Softmax
from profiling.timer import timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from model.answers import Prediction

WINDOW_TEXTS = 2048
"""Texts held as ids at once; chunks of like length are made inside a window."""
CHUNK_ROWS = 128
CHUNK_PADDED_TOKENS = 128
"""Size of one run of the graph, padding included: it bounds the memory of the activations.

Eight threads with 32 long texts each, shipped bundle, one run at a time: 512 tokens reach 112 MB,
256 reach 101 MB, 128 reach 89 MB, for the same processor time.
"""
FEW_TEXTS = 8
"""So many are answered without numpy, whose import takes as long as some 200 answers."""
UNKNOWN = ("[UNK]", "<unk>", " <unk>")
"""How tokenizers spell the token of what the vocabulary lacks; some lack nothing. Training puts the
blank there, so that no text spells it."""


class Detailed:
    """Predictions, and what the texts cost."""

    def __init__(self, predictions: list[Prediction], truncated: list[int], tokens: int) -> None:
        self.predictions = predictions
        self.truncated = truncated
        """Ascending indices of the texts that were cut to the bundle's `max_tokens`."""
        self.tokens = tokens
        """Tokens of all texts as they were run, without control tokens and padding."""


class Classifier:
    """Answers a bundle's tasks. Threads may share one."""

    def __init__(self, bundle: Bundle, threads: int = 1, *, sealed: bool = False) -> None:
        """Load the graph and the tokenizer of a verified bundle; raises BundleError.

        `threads` share one run of the graph. What is `sealed` is verified later, see model/seal.py.
        """
        self.bundle = bundle
        self.sealed = sealed
        self._tokenizer, self._session = open_both(bundle, threads, sealed)
        self._cpu_turns = CpuTurns(max(1, usable_cpus() // threads))
        """One run per processor at a time: more would not be faster, and each holds memory."""
        self._softmax = Softmax(bundle.tasks)
        self._heads = bundle.heads
        self._tasks = {task.name: task for task in bundle.tasks}
        self._unknown_id = _unknown_id(self._tokenizer)
        self._check_agreement()

    @classmethod
    def load(cls, path: str | Path, threads: int = 1) -> Classifier:
        """Verify and load the bundle at `path`; raises BundleError naming what is wrong."""
        with timer.span("verify"):
            bundle = read_bundle(path)
        return cls(bundle, threads)

    @property
    def opened_copy(self) -> bool:
        """Whether the optimized copy of the graph answers, not the bundle's own graph."""
        return self._session.file.parent != self.bundle.path

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
        counts: AnswerCounts | None = None,
    ) -> Detailed:
        """As `predict`, and which texts were cut and how many tokens were run.

        The answers are added to `counts`.
        """
        requested = self._requested(tasks, top_k, min_score)
        predictions: list[Prediction] = []
        truncated: list[int] = []
        tokens = 0
        for start, window in _windows(texts):
            encoded = self.encode(window)
            logits = self._run(encoded, requested)
            answered = self._predictions(logits, requested, top_k)
            predictions += at_least(answered, min_score)
            truncated += [start + index for index in encoded.truncated]
            tokens += sum(map(len, encoded.ids))
            if counts is not None:
                counts.add(requested, answered)
                counts.add_pieces(encoded.ids, self._unknown_id)
        return Detailed(predictions, truncated, tokens)

    def logits(
        self, texts: Sequence[str], tasks: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """The graph's float32 logits, [texts, labels of all tasks in the bundle's order].

        They are before temperature. Columns of tasks not in `tasks` mean nothing.
        """
        return self.logits_and_tokens(texts, tasks)[0]

    def logits_and_tokens(
        self, texts: Sequence[str], tasks: Sequence[str] | None = None
    ) -> tuple[NDArray[np.float32], int]:
        """The same `logits`, and the tokens that were run, as `Detailed` counts them."""
        requested = self._requested(tasks)
        logits, tokens = array("f"), 0
        for _, window in _windows(texts):
            encoded = self.encode(window)
            logits += self._run(encoded, requested)
            tokens += sum(map(len, encoded.ids))
        return self._matrix(logits), tokens

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores of the same shape as `logits`, [texts, labels of all tasks]."""
        return self._softmax(logits)

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
        flat = array("f", logits.astype("float32").tobytes())
        return at_least(self._predictions(flat, requested, top_k), min_score)

    @timer.span("softmax")
    def _predictions(
        self, logits: array[float], requested: list[Task], top_k: int
    ) -> list[Prediction]:
        """The answers that flat logits, [texts, labels of all tasks], hold for each text."""
        width = self._heads.width
        if len(logits) <= FEW_TEXTS * width:
            starts = range(0, len(logits), width)
            probabilities = [self._softmax.of_text(logits[at : at + width]) for at in starts]
        else:
            probabilities = self._softmax(self._matrix(logits)).tolist()
        heads = [self._heads[task.name] for task in requested]
        return [
            {
                task.name: answers_of(task, scores[head.columns], top_k)
                for task, head in zip(requested, heads, strict=True)
            }
            for scores in probabilities
        ]

    def _matrix(self, logits: array[float]) -> NDArray[np.float32]:
        """Flat logits as numpy's, [texts, labels of all tasks], over the same memory."""
        import numpy as np

        return np.frombuffer(logits, np.float32).reshape(-1, self._heads.width)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Ids of each text, and which texts were cut; all texts are held at once."""
        _refuse_one_string(texts)
        with timer.span("tokenize"):
            bundle = self.bundle
            return encode(self._tokenizer, texts, bundle.max_tokens, bundle.long_texts)

    def _check_agreement(self) -> None:
        """What only shows once the files are open; raises BundleError."""
        problems = []
        ids = self._tokenizer.get_vocab_size(with_added_tokens=True)
        first = min(task.control_id for task in self.bundle.tasks)
        if ids > first:
            problems.append(f"{TOKENIZER}: has {ids} ids, {MANIFEST} gives {first} to a task")
        if self._tokenizer.truncation is not None or self._tokenizer.padding is not None:
            problems.append(f"{TOKENIZER}: truncates or pads; export it without")
        columns, width = self._session.width, self._heads.width
        if columns != width:
            problems.append(f"{MODEL}: gives {columns} logits, {MANIFEST} names {width} labels")
        if problems:
            raise BundleError(self.bundle.path, *problems)

    @timer.span("run")
    def _run(self, encoded: Encoded, requested: list[Task]) -> array[float]:
        """Flat logits, [texts, labels of all tasks]."""
        control_ids = [task.control_id for task in requested]
        lengths = [len(row) + len(control_ids) for row in encoded.ids]
        width = self._heads.width
        logits = array("f", bytes(4 * width * len(lengths)))
        waited_s = 0.0
        for chunk in chunks(lengths, CHUNK_ROWS, CHUNK_PADDED_TOKENS):
            inputs = graph_inputs([encoded.ids[index] for index in chunk], control_ids)
            waited_s += self._cpu_turns.take()
            try:
                of_chunk = self._session.run(inputs)
            finally:
                self._cpu_turns.give()
            for place, index in enumerate(chunk):
                row = of_chunk[place * width : (place + 1) * width]
                logits[index * width : (index + 1) * width] = row
        if waited_s:
            timer.record("wait", waited_s)
        return logits

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


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    """The id of what the vocabulary lacks; None where it lacks nothing."""
    ids = map(tokenizer.token_to_id, UNKNOWN)
    return next((unknown for unknown in ids if unknown is not None), None)


def _windows(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Stretches of `texts` with the index at which each starts."""
    _refuse_one_string(texts)
    for start in range(0, len(texts), WINDOW_TEXTS):
        yield start, texts[start : start + WINDOW_TEXTS]


def _refuse_one_string(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise TypeError("texts is one string; send a list of strings")
