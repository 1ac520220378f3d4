"""A column is found under its name, or under the only one that is spelt a little differently."""

from __future__ import annotations

import pytest

from tables.columns import WantedColumns, column_of, no_column

COLUMNS = ["text", " Label ", "Kind", "KIND", "note"]


@pytest.mark.parametrize(
    ("name", "column"),
    [("text", "text"), ("label", " Label "), ("kind", None), ("KIND", "KIND"), ("tags", None)],
)
def test_case_and_spaces_do_not_count_where_one_column_can_be_meant(
    name: str, column: str | None
) -> None:
    assert column_of(name, COLUMNS) == column


def test_a_missing_column_tells_those_that_there_are_and_the_nearest() -> None:
    assert no_column("lable", ["text", "label"]) == (
        "no column 'lable' among 'text', 'label'; did you mean 'label'?"
    )
    assert no_column("topic", ["text"]) == "no column 'topic' among 'text'"
    assert no_column("x", [f"c{place}" for place in range(30)]).endswith("'c19' and 10 more")


def test_rows_come_under_the_wanted_names_and_it_is_said() -> None:
    columns = WantedColumns(["text", "label"])
    assert columns.apply({"Text": 1, " label": 2, "n": 3}) == {"text": 1, "label": 2, "n": 3}
    assert columns.apply({"text": 1, "TEXT": 2}) == {"text": 1, "TEXT": 2}
    assert columns.notes == [
        "column 'Text' is read as 'text'",
        "column ' label' is read as 'label'",
    ]
