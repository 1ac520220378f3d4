"""Score tables on Beam: `python -m function beam --input IN --output OUT`.

    tables -> batches of rows -> RunInference -> JSON lines -> OUT-00000-of-00002.jsonl

Rows that cannot be scored go to OUT.rejected.jsonl, before the others are scored.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io import WriteToText
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import MetricsFilter
from apache_beam.ml.inference.base import PredictionResult, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from function.batch.beam_call import LOCAL_RUNNER, BeamJob
from function.batch.beam_handler import METRICS, BundleHandler
from function.batch.beam_output import REJECTED_END, SUFFIX, clear_output
from function.batch.beam_tables import (
    BATCHES,
    REJECTED,
    WILDCARDS,
    ReadTable,
    check_columns,
    is_local,
    table_names,
)
from function.batch.beam_workers import (
    AGAIN,
    CLOSED,
    WORKER_ENDED,
    ending_with_its_workers,
    speaking_alone,
)
from function.batch.bundle_copy import local_bundle
from function.batch.row_problems import PREDICTIONS, TRUNCATED
from model.bundle import MANIFEST, fingerprint
from model.classifier import Classifier
from tables.reader import TableReader
from tables.remote_table import table_location

CAUSE = re.compile(r"^(?:[\w.]+\.)?(?:Table|Bundle|Value|OS)Error: (.+)$", re.MULTILINE)
"""A line of the traceback that Beam makes of an error in a worker."""


class BeamError(ValueError):
    """The pipeline ended early; nothing that looks whole was written."""


def run_beam_job(job: BeamJob) -> None:
    """Score the tables; raises ValueError or OSError.

    The bundle is loaded here first, so that a damaged one is named before a row is read.
    """
    options = _pipeline_options(job)
    FileSystems.set_options(options)  # who may read, before Beam's own calls
    bundle = local_bundle(job.bundle)
    Classifier.load(bundle, job.threads).predict([], job.tasks, job.top_k)
    names = table_names(job.source)
    for name in filter(is_local, names):
        with TableReader(table_location(name)) as reader:
            check_columns(reader, name, job.text)
    clear_output(job.target, names, force=job.force)
    handler = BundleHandler(
        job.bundle,
        sha256=fingerprint(bundle / MANIFEST)["sha256"],
        tasks=job.tasks,
        top_k=job.top_k,
        threads=job.threads,
    )
    pipeline = beam.Pipeline(options=options)
    add_steps(pipeline, job, names, handler)
    if job.runner == LOCAL_RUNNER:
        logging.getLogger().setLevel(logging.CRITICAL)  # errors are raised, too
    has_workers = job.runner == LOCAL_RUNNER and job.workers > 1
    with speaking_alone() if has_workers else nullcontext(), ending_with_its_workers():
        result = _finished(pipeline)
    if getattr(result, "has_job", True):  # the launcher of a template has none
        print(_summary(job, _counts(result)), file=sys.stderr)


def add_steps(
    pipeline: beam.Pipeline, job: BeamJob, names: list[str], handler: BundleHandler
) -> None:
    """The steps from the tables `names` to the files of `job.target`."""
    names_files = not WILDCARDS.isdisjoint(job.source)
    read = (
        pipeline
        | "Tables" >> beam.Create(names)
        | "Share tables" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(ReadTable(job.text, names_files=names_files)).with_outputs(
            REJECTED, main=BATCHES
        )
    )  # fmt: skip
    set_aside = (
        read[REJECTED]
        | "Reasons" >> beam.Map(json.dumps)
        | "Write reasons"
        >> WriteToText(
            f"{job.target}{REJECTED_END}", SUFFIX, shard_name_template="", skip_if_empty=True
        )
    )
    _ = (
        read[BATCHES]
        | "Share batches" >> beam.Reshuffle()
        | "Reasons first" >> beam.transforms.util.WaitOn(set_aside)
        | "Score" >> RunInference(handler.with_no_batching())
        | "Lines" >> beam.Map(scored_line)
        | "Write" >> WriteToText(job.target, SUFFIX)
    )


def scored_line(scored: PredictionResult) -> str:
    """A row with its predictions as one line of JSON, as `batch` writes it."""
    cut = {TRUNCATED: True} if scored.example.is_cut else {}
    return json.dumps({**scored.example.fields, PREDICTIONS: scored.inference, **cut})


def _pipeline_options(job: BeamJob) -> PipelineOptions:
    """Raises ValueError for an option that Beam does not know."""
    words = [f"--runner={job.runner}", *job.beam_options]
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    if unknown := parser.parse_known_args(words)[1]:
        raise ValueError(f"unknown options: {' '.join(unknown)}; neither ours nor of Beam")
    if job.runner == LOCAL_RUNNER and job.workers > 1:
        words += [f"--direct_num_workers={job.workers}", "--direct_running_mode=multi_processing"]
    return PipelineOptions(words)


def _finished(pipeline: beam.Pipeline) -> Any:
    """The pipeline's result; raises BeamError with the cause where it ended early."""
    try:
        result = pipeline.run()
        state = result.wait_until_finish()
    except RuntimeError as error:
        causes = CAUSE.findall(str(error)) or str(error).strip().splitlines()[-1:]
        cause = causes[-1].partition(" [while running")[0].rstrip(".")
        raise BeamError(f"{WORKER_ENDED if cause == CLOSED else cause}; {AGAIN}") from None
    if state not in (PipelineState.DONE, None):
        raise BeamError(f"the pipeline ended as {state}; {AGAIN}")
    return result


def _counts(result: Any) -> dict[str, int]:
    """Beam's counters of the run, by name."""
    counters = result.metrics().query(MetricsFilter().with_namespace(METRICS))["counters"]
    return {counter.key.metric.name: counter.result for counter in counters}


def _summary(job: BeamJob, counts: dict[str, int]) -> str:
    rejected, truncated = counts.get("rejected", 0), counts.get("truncated", 0)
    parts = [f"{counts.get('rows', 0)} rows in {job.target}-*{SUFFIX}"]
    if truncated:
        parts.append(f"{truncated} texts cut")
    if rejected:
        parts.append(f"{rejected} set aside in {Path(job.target).name}{REJECTED_END}{SUFFIX}")
    return ", ".join(parts)
