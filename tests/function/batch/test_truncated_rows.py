"""A batch says how many texts were cut, and a JSONL row says that its text was."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from function.batch import job as job_module
from function.batch.job import BatchJob, run_job
from model.classifier import Classifier, Detailed

TEXTS = ["raw honey", "salt " * 900, "lard", "honey " * 900, "tofu", "rice"]


@pytest.fixture
def job(tmp_path: Path, bundle_path: Path) -> BatchJob:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    return BatchJob(source, tmp_path / "out.jsonl", bundle_path, chunk_rows=3)


def test_cut_texts_are_counted_and_marked(
    job: BatchJob, classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_job(job).truncated == 2
    rows = [json.loads(line) for line in job.target.read_text().splitlines()]
    assert [row.get("truncated") for row in rows] == [None, True, None, True, None, None]
    limit = classifier.bundle.max_tokens
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line == f"6 rows in {job.target}; 2 texts were cut to {limit} tokens"


def test_a_csv_keeps_its_columns_and_the_count_is_told(
    job: BatchJob, capsys: pytest.CaptureFixture[str]
) -> None:
    target = job.target.with_suffix(".csv")
    run_job(replace(job, target=target, tasks=["source"]))
    assert target.read_text().splitlines()[0] == "text,source.predicted,source.score"
    assert re.search(r"2 texts were cut to \d+ tokens$", capsys.readouterr().err.rstrip())


def test_a_batch_that_was_stopped_counts_those_before(
    job: BatchJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks: list[int] = []

    class Stopping(Classifier):
        def predict_detailed(self, texts, *arguments) -> Detailed:  # type: ignore[no-untyped-def]
            chunks.append(len(texts))
            if len(chunks) == 3:  # after the empty list that checks the tasks, and one chunk
                raise KeyboardInterrupt("after one chunk")
            return super().predict_detailed(texts, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(job_module, "Classifier", Stopping)
        with pytest.raises(KeyboardInterrupt, match=r"^after one chunk$"):
            run_job(job)
    assert run_job(job).truncated == 2
    assert len(job.target.read_text().splitlines()) == len(TEXTS)


def test_a_field_of_the_row_is_not_replaced(job: BatchJob) -> None:
    job.source.write_text('{"text": "salt", "truncated": "by hand"}\n{"text": "salt"}\n')  # type: ignore[union-attr]
    assert run_job(job).rejected == 1
    (rejected,) = job.target.with_name("out.jsonl.rejected.jsonl").read_text().splitlines()
    assert "has a field 'truncated' already" in rejected
