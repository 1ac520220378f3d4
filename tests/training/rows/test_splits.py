"""Where a group falls depends on the group alone: rows come, go and are corrected around it."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.small import TABLE
from training.recipe import read_recipe
from training.rows.splits import carve, group_key, normalise
from training.rows.table import read_table

Rows = list[tuple[str, str | None]]
Record = dict[str, Any]
RECIPE = '[data]\nfiles = ["rows.jsonl"]\nseed = {seed}\n[[task]]\nname = "kind"\nkind = "single"\n'


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """1,060 rows of the shipped table, their splits and families left out."""
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    random.Random(1).shuffle(rows)
    return [{"text": row["text"], "kind": row["ingredient"]} for row in rows[:1060]]


def splits_of(records: list[Record], folder: Path, seed: int = 1) -> dict[str, str | None]:
    """{text: its split}."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in records))
    (folder / "recipe.toml").write_text(RECIPE.format(seed=seed))
    table = read_table(read_recipe(folder / "recipe.toml"))
    return {row.text: row.split for row in table.rows}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("added", [1, 50])
def test_added_rows_move_no_others(
    records: list[Record], tmp_path: Path, added: int, seed: int
) -> None:
    before = splits_of(records[:1000], tmp_path, seed)
    after = splits_of(records[: 1000 + added], tmp_path, seed)
    tested = {text for text, split in before.items() if split == "test"}
    assert 60 < len(tested) < 140
    assert all(after[text] == "test" for text in tested)
    trained = {text for text, split in before.items() if split == "train"}
    assert all(after[text] == "train" for text in trained)


def test_corrected_labels_and_another_order_move_no_row(
    records: list[Record], tmp_path: Path
) -> None:
    rows = records[:1000]
    before = splits_of(rows, tmp_path)
    corrected = [{**row, "kind": "other"} if place < 2 else row for place, row in enumerate(rows)]
    assert splits_of(corrected, tmp_path) == before
    assert splits_of(rows[::-1], tmp_path) == before
    assert splits_of(rows, tmp_path, seed=2) != before


def test_shares_are_near_to_eight_one_one() -> None:
    counts = Counter(carve([(f"group {place}", None) for place in range(10_000)], seed=1))
    assert counts["train"] == pytest.approx(8000, abs=150)
    assert counts["validation"] == pytest.approx(1000, abs=100)
    assert counts["test"] == pytest.approx(1000, abs=100)


def test_a_validation_split_is_the_same_whether_the_test_split_is_given_or_not() -> None:
    groups: Rows = [(f"group {place}", None) for place in range(500)]
    of_all = carve(groups, 1)
    beside_test = carve([*groups, ("judged", "test")], 1)[:-1]
    assert [split == "validation" for split in beside_test] == [
        split == "validation" for split in of_all
    ]


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=80),
    st.integers(0, 5),
)
def test_a_group_never_straddles_and_three_groups_fill_three_splits(
    groups: list[int], seed: int
) -> None:
    splits = carve([(str(group), None) for group in groups], seed)
    split_of = dict(zip(groups, splits, strict=True))
    assert all(split_of[group] == split for group, split in zip(groups, splits, strict=True))
    assert len(set(splits)) == min(3, len(set(groups)))


@given(st.integers(1, 60), st.integers(0, 200))
def test_a_larger_table_tests_nothing_that_trained(size: int, seed: int) -> None:
    """Few groups leave a split empty at times; the group that fills it goes back to train."""
    before = carve([(str(place), None) for place in range(size + 3)], seed)
    after = carve([(str(place), None) for place in range(size + 4)], seed)
    pairs = list(zip(before, after, strict=False))
    if ("train", "test") in pairs:  # nothing but one group was left to train
        assert before.count("train") == 1


def test_an_unassigned_row_joins_its_groups_split() -> None:
    rows: Rows = [("g", "test"), ("g", None), ("h", "validation")]
    assert carve(rows, 1) == ["test", "test", "validation"]


def test_texts_count_as_the_same_without_case_spaces_and_width() -> None:
    assert normalise("  Olive  OIL ") == normalise("\uff4flive oil")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Pay 10 euros!", "pay 2,500.00 euros"),
        ("extra-virgin olive oil", "Extra virgin olive oil"),
        ("don't", "dont"),
        ("½ cup of milk", "2 cup of milk"),
        ("STRASSE 7", "Straße 12"),
        ("\u0665 \u0643\u062a\u0628", "7 \u0643\u062a\u0628"),
        ("12\u6708", "\uff13\u6708"),
    ],
)
def test_texts_that_differ_in_numbers_case_or_punctuation_are_one_group(
    one: str, other: str
) -> None:
    assert group_key(one) == group_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12", "13"),
        ("\U0001f44d", "\U0001f44e"),
        ("\u2764\ufe0f", "\U0001f44d\ufe0f"),
        ("?!", "..."),
        ("\u0915\u093f", "\u0915\u0940"),
        ("caf\u00e9 noir", "cafe noir"),
    ],
)
def test_texts_without_letters_and_other_words_are_groups_of_their_own(
    one: str, other: str
) -> None:
    assert group_key(one) != group_key(other)
