"""Frames of both libraries become the same rows, and predictions become columns for both."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy
import pandas
import polars
import pytest

from model.classifier import Classifier
from tables.frames import frame_rows, is_frame, plain_value, prediction_columns
from tables.row import TableError

DAY = datetime.datetime(2024, 1, 31)
COLUMNS: dict[str, list[Any]] = {
    "text": ["raw honey", None],
    "labels": [["animal", "sweet"], []],
    "day": [DAY, None],
    "is_food": [True, False],
    "share": [0.5, None],
}
ROWS = [
    {
        "text": "raw honey",
        "labels": ["animal", "sweet"],
        "day": "2024-01-31 00:00:00",
        "is_food": True,
        "share": 0.5,
    },
    {"text": None, "labels": [], "day": None, "is_food": False, "share": None},
]


@pytest.mark.parametrize("library", [pandas, polars])
def test_a_frame_is_read_row_by_row(library: Any) -> None:
    frame = library.DataFrame(COLUMNS)
    assert is_frame(frame)
    assert list(frame_rows(frame)) == ROWS


@pytest.mark.parametrize(
    "not_a_frame",
    ["rows.csv", COLUMNS, pandas.Series([1]), polars.Series([1]), polars.DataFrame(COLUMNS).lazy()],
    ids=type,
)
def test_what_is_no_frame_is_not_taken_for_one(not_a_frame: object) -> None:
    assert not is_frame(not_a_frame)


def test_the_index_of_pandas_is_left_out_and_its_columns_are_named_by_text() -> None:
    frame = pandas.DataFrame({0: ["a", "b"]}, index=[7, 9])
    assert list(frame_rows(frame)) == [{"0": "a"}, {"0": "b"}]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "string", "category", object])
def test_nothing_is_missing_in_no_type_of_column(dtype: Any) -> None:
    column = pandas.Series([None, 1], dtype="Int64").astype(dtype)
    first, second = (row["a"] for row in frame_rows(pandas.DataFrame({"a": column})))
    assert first is None
    assert second == ("1" if dtype == "string" else 1)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (float("nan"), None),
        (pandas.NA, None),
        (pandas.NaT, None),
        (numpy.datetime64("NaT"), None),
        (numpy.float32("nan"), None),
        (float("inf"), "inf"),
        (numpy.int64(3), 3),
        (numpy.bool_(True), True),
        (numpy.str_("a"), "a"),
        (numpy.array(["a", "b"]), ["a", "b"]),
        (("a", None, pandas.NA), ["a", None, None]),
        pytest.param(
            {"c", "a", "b"}, ["a", "b", "c"], id="a set"
        ),  # its order is the process's own
        ({1: numpy.int8(2)}, {"1": 2}),
        (decimal.Decimal("1.50"), "1.50"),
        ("café".encode(), "café"),
        (b"caf\xe9", "caf\udce9"),
    ],
    ids=repr,
)
def test_a_cell_is_a_value_of_json(value: Any, plain: Any) -> None:
    actual = plain_value(value)
    assert (actual, type(actual)) == (plain, type(plain))


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(TableError, match="the frame has two columns 1; rename one"):
        list(frame_rows(pandas.DataFrame([[1, 2]], columns=["1", 1])))


@pytest.mark.parametrize("library", [pandas, polars])
def test_predictions_are_columns_of_a_frame(library: Any, classifier: Classifier) -> None:
    predictions = classifier.predict(["raw honey", "butter knife"], top_k=2)
    frame = library.DataFrame(prediction_columns(predictions, classifier.bundle.tasks))
    first, second = frame_rows(frame)
    assert list(first) == [
        f"{task}.{column}"
        for task in ("ingredient", "source", "category")
        for column in ("predicted", "score")
    ]
    assert first["source.predicted"] == "animal_product"
    assert first["source.score"] == predictions[0]["source"][0]["score"]
    assert first["category.predicted"] == ["sweetener"]
    assert first["category.score"] == [predictions[0]["category"][0]["score"]]
    assert (second["category.predicted"], second["category.score"]) == ([], [])


def test_only_tasks_that_were_asked_for_have_columns(classifier: Classifier) -> None:
    predictions = classifier.predict(["lard", "tofu"], ["source"], min_score={"source": 0.999})
    columns = prediction_columns(predictions, classifier.bundle.tasks)
    assert columns == {"source.predicted": [None, None], "source.score": [None, None]}


def test_no_texts_make_empty_columns(classifier: Classifier) -> None:
    columns = prediction_columns(classifier.predict([]), classifier.bundle.tasks)
    assert len(columns) == 6
    assert not any(columns.values())
