"""The bundle behind RunInference: one load, batches within a weight, updates, what it counts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from model.bundle import BundleError, read_bundle
from model.classifier import Classifier
from tests.beam.commands import require_beam, write_jsonl
from tests.docs_text import ROOT

pytestmark = [pytest.mark.beam, pytest.mark.filterwarnings("ignore")]
require_beam()

import apache_beam as beam  # noqa: E402

TEXTS = ["raw honey", "butter knife", "salt", "honey " * 200]
FROZEN = ROOT / "tests" / "frozen" / "bundle"


def local_pipeline(*options: str) -> Any:
    from apache_beam.options.pipeline_options import PipelineOptions

    return beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *options]))


def counted(pipeline: Any) -> dict[str, Any]:
    """Counters and distributions of a finished pipeline, by name."""
    metrics = pipeline.result.metrics().query()
    return {
        metric.key.metric.name: metric.result
        for kind in ("counters", "distributions")
        for metric in metrics[kind]
    }


def test_threads_share_one_load_and_texts_in_batches_are_answered_as_the_classifier_does(
    tmp_path: Path, bundle_path: Path, classifier: Classifier
) -> None:
    from apache_beam.ml.inference.base import RunInference

    from function.batch.beam_handler import BundleHandler

    options = ("--direct_num_workers=4", "--direct_running_mode=multi_threading")
    texts = [f"{text} {number}" for number in range(100) for text in TEXTS]
    with local_pipeline(*options) as pipeline:
        answers = (
            pipeline
            | beam.Create(texts)
            | beam.Reshuffle()
            | RunInference(BundleHandler(str(bundle_path), tasks=["source"]))
            | beam.Map(lambda answer: repr((answer.example, answer.inference, answer.model_id)))
        )
        _ = answers | beam.io.WriteToText(str(tmp_path / "out"), shard_name_template="")
    expected = zip(texts, classifier.predict(texts, ["source"]), strict=True)
    identity = classifier.bundle.identity
    assert sorted((tmp_path / "out").read_text().splitlines()) == sorted(
        repr((text, answer, identity)) for text, answer in expected
    )
    counts = counted(pipeline)
    detailed = classifier.predict_detailed(texts, ["source"])
    assert counts["num_inferences"] == len(texts)
    assert counts["tokens"] == detailed.tokens
    assert counts["truncated"] == len(detailed.truncated)
    assert counts["load_model_latency_milli_secs"].count == 1
    assert counts["inference_batch_latency_micro_secs"].count < len(texts) / 2


def test_a_side_input_replaces_the_bundle(tmp_path: Path, bundle_path: Path) -> None:
    from apache_beam.ml.inference.base import ModelMetadata, RunInference

    from function.batch.beam_handler import BundleHandler

    with local_pipeline() as pipeline:
        update = pipeline | "Update" >> beam.Create([ModelMetadata(str(FROZEN), "frozen")])
        _ = (
            pipeline
            | beam.Create(TEXTS)
            | RunInference(
                BundleHandler(str(bundle_path), sha256=sha256_of(bundle_path)),
                model_metadata_pcoll=update,
            )
            | beam.Map(lambda answer: f"{answer.model_id} {answer.inference}")
            | beam.io.WriteToText(str(tmp_path / "out"), shard_name_template="")
        )
    frozen = Classifier.load(FROZEN)
    assert sorted((tmp_path / "out").read_text().splitlines()) == sorted(
        f"{frozen.bundle.identity} {answer}" for answer in frozen.predict(TEXTS)
    )
    assert counted(pipeline)["frozen_num_inferences"] == len(TEXTS)


def sha256_of(bundle: Path) -> str:
    return hashlib.sha256((bundle / "bundle.json").read_bytes()).hexdigest()


def test_a_bundle_that_was_replaced_since_the_launch_is_refused(bundle_path: Path) -> None:
    from function.batch.beam_handler import BundleHandler

    handler = BundleHandler(str(bundle_path), sha256=sha256_of(FROZEN))
    began = f"its sha256 is .*, the run began with {sha256_of(FROZEN)}"
    with pytest.raises(BundleError, match=began):
        handler.load_model()
    handler.update_model_path(str(FROZEN))
    assert handler.load_model().bundle.identity == read_bundle(FROZEN).identity


def test_batches_stay_within_their_weight(tmp_path: Path) -> None:
    from function.batch.beam_handler import BATCH_WEIGHT, text_weight
    from function.batch.beam_tables import ReadTable

    texts = ["salt"] * 1500 + ["long " * 2000] * 20 + ["longer " * 20_000] * 2 + ["salt"] * 10
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in texts])
    batches = list(ReadTable("text", names_files=False).process(str(source)))
    assert [row.text for batch in batches for row in batch] == texts
    assert len(batches[0]) == 1024
    for batch in batches:
        assert len(batch) == 1 or sum(map(text_weight, batch)) <= BATCH_WEIGHT
