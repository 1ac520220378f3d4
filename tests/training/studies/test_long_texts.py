"""Documents whose verdict stands at the end are judged as by a model that reads all of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from model.manifest import HEAD_TAIL
from tests.training.small import TABLE
from training.judge.linear import fit_linear
from training.pipeline import run_stages
from training.studies.long_texts import (
    COLUMNS,
    END,
    LABEL,
    PLACES,
    START,
    THROUGHOUT,
    VERDICTS,
    LongTextTrial,
    documents,
    report,
    run_of,
)

SETTINGS = """
[vocabulary]
pieces = 4000
[teacher]
batch_size = 8
steps = 60
[student]
layers = 1
"""
SENTENCES = {"sweet": ["raw honey", "cane sugar"], "sharp": ["butter knife", "fork"]}


def test_the_verdict_stands_where_it_is_said() -> None:
    for place in PLACES:
        rows = list(documents(SENTENCES, place, 20, 50))
        assert rows == list(documents(SENTENCES, place, 20, 50))
        assert [row["split"] for row in rows] == ["train"] * 12 + ["validation"] * 3 + ["test"] * 5
        for row in rows:
            first, *_, last = row["text"].removesuffix(".").split(". ")
            verdicts = VERDICTS.get(row[LABEL], ())
            assert (first in verdicts, last in verdicts) == (place == START, place == END)
            if place == THROUGHOUT:
                assert first in SENTENCES[row[LABEL]]
            assert 50 <= len(row["text"].split()) <= 62


def test_the_report_has_a_row_for_each_trial() -> None:
    trial = LongTextTrial(END, HEAD_TAIL, 48)
    record = dict.fromkeys(COLUMNS, 80.0)
    assert report({trial: record}).splitlines()[2].startswith("| end | head_tail | 48 | 80.0 |")


@pytest.mark.slow
def test_reading_the_end_is_enough_where_the_verdict_stands_there(
    small_base: Path, tmp_path: Path
) -> None:
    from training.fit.batches import examples, network_logits, targets
    from training.fit.network import load_network

    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        names = sorted({json.loads(line)["text"] for line in lines})[:3000]
    trial = LongTextTrial(END, HEAD_TAIL, 48, base=str(small_base), settings=SETTINGS)
    run = run_of(trial, tmp_path, {"names": names})
    run_stages(run, "teacher")
    rows = run.table.split("test")
    truth = targets(run.table, rows).argmax(1)
    assert len(run.table.rows) == 160
    logits = network_logits(load_network(run.work / "teacher"), examples(run, rows))
    linear = fit_linear(run.table).answers([row.text for row in rows])
    right = [100 * float(np.mean(answers.argmax(1) == truth)) for answers in (logits, linear)]
    assert right[0] >= right[1] - 2
    assert right[0] >= 70, "half of them are granted"
