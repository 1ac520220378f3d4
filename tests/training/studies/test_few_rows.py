"""The study draws rows by seed, holds the test rows apart, and adds up what it measured."""

from __future__ import annotations

from collections import Counter

import pytest

from training.studies.few_rows import COLUMNS, INTENT, Draw, drawn_rows, report

ROWS = [
    {"text": f"{label} {number}", INTENT: label, "split": split}
    for label, count in (("a", 9), ("b", 2))
    for split in ("train", "validation", "test")
    for number in range(count)
]


def test_so_many_rows_of_each_intent_are_drawn_and_all_test_rows_come_along() -> None:
    drawn = list(drawn_rows(ROWS, Draw("hwu64", 3, 1)))
    test = [row for row in drawn if row["split"] == "test"]
    assert len(test) == 11
    assert {row["part"] for row in test} == {"test"}
    train = [row for row in drawn if row["split"] != "test"]
    assert {row["split"] for row in train} == {"train"}
    assert Counter(row[INTENT] for row in train) == {"a": 3, "b": 2}
    assert drawn == list(drawn_rows(ROWS, Draw("hwu64", 3, 1)))
    assert drawn != list(drawn_rows(ROWS, Draw("hwu64", 3, 2)))


def test_other_rows_come_along_without_labels_where_that_is_asked_for() -> None:
    drawn = list(drawn_rows(ROWS, Draw("hwu64", 3, 1, unlabelled=True)))
    labelled = [row for row in drawn if INTENT in row]
    assert labelled == list(drawn_rows(ROWS, Draw("hwu64", 3, 1)))
    others = {row["text"] for row in drawn if list(row) == ["text"]}
    train = {row["text"] for row in ROWS if row["split"] == "train"}
    assert others == train - {row["text"] for row in labelled if row["split"] == "train"}
    assert len(others) == 6


def test_of_all_rows_every_split_stays() -> None:
    drawn = list(drawn_rows(ROWS, Draw("hwu64", None, 1)))
    assert Counter(row["split"] for row in drawn) == Counter(row["split"] for row in ROWS)


def test_the_report_has_means_over_seeds() -> None:
    record = dict.fromkeys(COLUMNS, 80.0)
    draws = {Draw("hwu64", 5, 1): record, Draw("hwu64", 5, 2): {**record, "shipped": 82.0}}
    line = report({**draws, Draw("hwu64", None, 1): record}).splitlines()
    assert line[2].split("|")[1:5] == [" hwu64 ", " 5 ", " 2 ", " 81.0 ± 1.4 "]
    assert line[3].split("|")[1:5] == [" hwu64 ", " all ", " 1 ", " 80.0 "]


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (Draw("hwu64", 5, 1), "hwu64-5-1"),
        (Draw("hwu64", None, 1), "hwu64-all-1"),
        (Draw("hwu64", 5, 1, unlabelled=True), "hwu64-5-1-unlabelled"),
    ],
)
def test_a_record_is_named_after_its_draw(draw: Draw, name: str) -> None:
    assert draw.name == name
