"""Carved splits: whole groups, every stratum, the same each time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from training.rows.splits import Stratum, carve, normalise

Rows = list[tuple[str, Stratum, str | None]]


def test_each_stratum_gives_its_share_and_keeps_some_to_train() -> None:
    rows: Rows = [(f"{label}{i}", (0, label), None) for label in "abc" for i in range(100)]
    splits = carve([*rows, ("rare", (0, "z"), None)], seed=1)
    counts = Counter((row[1][1], split) for row, split in zip(rows, splits, strict=False))
    for label in "abc":
        assert 9 <= counts[label, "test"] <= 11
        assert 9 <= counts[label, "validation"] <= 11
    assert splits[-1] == "train"


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc")), min_size=1, max_size=80),
    st.integers(0, 5),
)
def test_a_group_never_straddles(groups: list[tuple[int, str]], seed: int) -> None:
    rows: Rows = [(str(group), (0, label), None) for group, label in groups]
    splits = carve(rows, seed)
    seen = {row[0]: split for row, split in zip(rows, splits, strict=True)}
    assert all(seen[row[0]] == split for row, split in zip(rows, splits, strict=True))


def test_an_unassigned_row_joins_its_groups_split() -> None:
    rows: Rows = [("g", (0, "a"), "test"), ("g", (0, "a"), None), ("h", (0, "a"), "validation")]
    assert carve(rows, 1) == ["test", "test", "validation"]


def test_texts_count_as_the_same_without_case_spaces_and_width() -> None:
    assert normalise("  Olive  OIL ") == normalise("\uff4flive oil")
