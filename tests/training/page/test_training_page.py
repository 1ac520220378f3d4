"""The page of a run says what its document says, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from training.advice.advice_report import AdviceFiles
from training.page.training_page import training_page

LEARNT = "what ships learnt those, too, afterwards"


@pytest.fixture
def document() -> dict[str, Any]:
    """Of a run with one task, without figures that would be drawn at length."""
    drop = {"task": "mood", "drop": 0.5, "low": -1.0, "high": 2.0}
    figures = {"rows": 60, "accuracy": 90.0, "interval": [80.0, 95.0]}
    return {
        "bundle": "mood@0123456789ab",
        "metrics": {"int8": {"tasks": {"mood": figures}}},
        "mistakes": {"mood": {"labels": [], "recall": [], "confused": [], "confident": []}},
        "quantization": {"drops": {"mood": drop}},
        "advice": {"curves": []},
        "warnings": ["mood: 90.0 is worse than the 99.0 of TF-IDF"],
        "seconds": {"bundle": {"wall": 1.0, "cpu": 1.0}},
        "truncated": {"max_tokens": 16, "long_texts": "head", "splits": {}},
    }


@pytest.fixture
def advice(tmp_path: Path) -> AdviceFiles:
    """Without rows."""
    paths = AdviceFiles(tmp_path / "suspects.csv", tmp_path / "to_label-2.csv")
    for path in paths:
        path.write_text("text,mood\n")
    return paths


def test_warnings_come_first_and_a_refit_is_told_where_there_was_one(
    document: dict[str, Any], advice: AdviceFiles
) -> None:
    page = training_page(document, advice)
    assert page.index("mood: 90.0 is worse than") < page.index("<h2>mood</h2>")
    assert "All figures are of rows that training had not seen." in page
    assert LEARNT not in page
    document["metrics"]["refit"] = {}
    assert f"had not seen; {LEARNT}." in training_page(document, advice)


def test_long_texts_are_cut_and_the_first_rows_shown(
    document: dict[str, Any], advice: AdviceFiles
) -> None:
    document["mistakes"]["mood"]["confident"] = [{"text": "m" * 1000, "score": 99.0}]
    with advice.suspects.open("a") as suspects:
        suspects.write("".join(f"row {number} {'x' * 10_000},good\n" for number in range(20)))
    advice.to_label.write_text(f"text,mood\n{'y' * 200_000},\n")
    page = training_page(document, advice)
    assert "row 14 x" in page
    assert "row 15 x" not in page
    for letter in "mxy":
        assert f"{letter * 300}" in page
        assert f"{letter * 400}" not in page
    assert "y…</td>" in page
    assert "<code>suspects.csv</code>" in page
    assert "<code>to_label-2.csv</code>" in page
