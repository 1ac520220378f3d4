"""A bundle behind Beam's RunInference: texts in, predictions out.

predictions = texts | RunInference(BundleHandler("gs://bucket/bundle", sha256="..."))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from function.batch.bundle_copy import local_bundle
from model.classifier import Classifier
from tables.row import Fields

METRICS = "polyhead"
"""Namespace of all counters, Beam's own of inference among them."""
TEXT_WEIGHT = 64
"""Least weight of a text; a longer one weighs its characters."""
BATCH_WEIGHT = 2**16
"""Most that a batch weighs: 1,024 short texts. It bounds memory; the classifier makes runs of
like length of the texts inside it."""


class RowExample:
    """A row to be scored. A class of its own, as Beam refuses halves of surrogate pairs in text."""

    __slots__ = ("fields", "is_cut", "text")

    def __init__(self, fields: Fields, text: str, is_cut: bool = False) -> None:
        """`is_cut`: of an answered one, whether the text was longer than the bundle reads."""
        self.fields = fields
        self.text = text
        self.is_cut = is_cut


Example = str | RowExample


def text_of(example: Example) -> str:
    return example if isinstance(example, str) else example.text


def text_weight(example: Example) -> int:
    """What an example takes of a batch's weight."""
    return min(max(TEXT_WEIGHT, len(text_of(example))), BATCH_WEIGHT)


class BundleHandler(ModelHandler):  # type: ignore[misc]
    """Each process of a worker loads the bundle once, and its threads share it.

    Examples are texts, or RowExamples. An inference is a PredictionResult of the example, its
    `{task: [{"label", "score"}]}` and the bundle's identity, NAME@DIGEST. A side input of
    ModelMetadata, whose `model_id` is the path or the address of another bundle, replaces the
    bundle while the pipeline runs.
    """

    def __init__(
        self,
        bundle: str,
        *,
        sha256: str = "",
        tasks: Sequence[str] | None = None,
        top_k: int = 1,
        threads: int = 1,
    ) -> None:
        """`bundle` is a path or gs://BUCKET/FOLDER; the others as for `local_bundle` and
        `Classifier`. Nothing is read before `load_model`.
        """
        super().__init__(
            min_batch_size=BATCH_WEIGHT, max_batch_size=BATCH_WEIGHT, element_size_fn=text_weight
        )
        self._bundle = bundle
        self._sha256 = sha256
        self._tasks = tasks
        self._top_k = top_k
        self._threads = threads

    def load_model(self) -> Classifier:
        """Copy, verify and load the bundle; raises BundleError, ValueError for unknown tasks."""
        classifier = Classifier.load(local_bundle(self._bundle, self._sha256), self._threads)
        classifier.predict([], self._tasks, self._top_k)
        return classifier

    def update_model_path(self, model_path: str | None = None) -> None:
        """Take another bundle from the next load on, whatever its sha256."""
        if model_path and model_path != self._bundle:
            self._bundle, self._sha256 = model_path, ""

    def run_inference(
        self,
        batch: Sequence[Example],
        model: Classifier,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[PredictionResult]:
        texts = [text_of(example) for example in batch]
        detailed = model.predict_detailed(texts, self._tasks, self._top_k)
        Metrics.counter(METRICS, "tokens").inc(detailed.tokens)
        Metrics.counter(METRICS, "truncated").inc(len(detailed.truncated))
        identity = model.bundle.identity
        cut = set(detailed.truncated)
        for place, (example, answer) in enumerate(zip(batch, detailed.predictions, strict=True)):
            if place in cut and isinstance(example, RowExample):
                example = RowExample(example.fields, example.text, is_cut=True)
            yield PredictionResult(example, answer, identity)

    def validate_inference_args(self, inference_args: dict[str, Any] | None) -> None:
        if inference_args:
            raise ValueError(
                f"inference_args: {inference_args}; give tasks and top_k to the handler"
            )

    def get_num_bytes(self, batch: Sequence[Example]) -> int:
        return sum(len(text_of(example).encode("utf-8", "surrogatepass")) for example in batch)

    def get_metrics_namespace(self) -> str:
        return METRICS
