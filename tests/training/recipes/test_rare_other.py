"""Is `other` rare in training, frequent in the test, and half of it of kinds never taught?"""

from __future__ import annotations

from training.recipes.rare_other import OTHER, Utterance, with_other


def utterances() -> list[Utterance]:
    return [
        Utterance(f"{split} text {number} of {kind}", f"intent {kind}", split)
        for split, count in (("train", 60), ("test", 20))
        for kind in range(40)
        for number in range(count)
    ]


def test_shares_of_other_are_those_of_the_table_that_is_described() -> None:
    rows = with_other(utterances())
    shares = {}
    for split in ("train", "test"):
        intents = [row.intent for row in rows if row.split == split]
        shares[split] = round(intents.count(OTHER) / len(intents), 3)
    assert shares == {"train": 0.016, "test": 0.2}


def test_half_of_the_kinds_stand_in_the_test_alone() -> None:
    rows = [row for row in with_other(utterances()) if row.intent == OTHER]

    def kinds(split: str, slice_name: str) -> set[str]:
        chosen = (row for row in rows if row.split == split and row.slice == slice_name)
        return {row.text.rpartition(" ")[2] for row in chosen}

    assert kinds("train", "new") == set()
    assert kinds("test", "taught") == kinds("train", "taught")
    assert len(kinds("test", "taught")) == len(kinds("test", "new")) == 4
    assert not kinds("test", "new") & kinds("test", "taught")


def test_rows_with_other_labels_stay_as_they_are() -> None:
    before = utterances()
    rows = with_other(before)
    assert {row for row in rows if row.intent != OTHER} <= set(before)
    assert rows == with_other(before)
