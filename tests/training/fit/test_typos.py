"""Do misspelt texts stay readable, and are they never seen the same twice?"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from training.fit.typos import Misspelt, misspell


@given(st.text(max_size=40), st.integers())
def test_one_edit_at_most(text: str, seed: int) -> None:
    typed = misspell(text, random.Random(seed))
    assert abs(len(typed) - len(text)) <= 1
    changed = [place for place, (a, b) in enumerate(zip(text, typed, strict=False)) if a != b]
    if len(typed) == len(text) and changed:
        assert changed[-1] - changed[0] <= 1


def test_every_kind_of_typo() -> None:
    typed = {misspell("rice", random.Random(seed)) for seed in range(300)}
    assert {"ric", "rce", "riice", "rcie", "rixe"} & typed >= {"rce", "riice", "rcie"}
    assert all(word[0] == "r" for word in typed)


def test_short_words_and_numbers_stay() -> None:
    assert misspell("2 oz E100 12345 tea", random.Random(1)) == "2 oz E100 12345 tea"


def test_a_share_of_the_examples_is_misspelt_anew_in_each_epoch() -> None:
    texts = ["chicken breast"] * 200
    examples = [{"input_ids": [1], "labels": place} for place in range(200)]
    rows = Misspelt(examples, texts, 0.5, lambda texts: [[ord(c) for c in texts[0]]])
    first = [rows[i] for i in range(200)]
    assert 60 < sum(row["input_ids"] != [1] for row in first) < 140
    assert [row["labels"] for row in first] == list(range(200))
    rows.set_epoch(1)
    assert [rows[i] for i in range(200)] != first
    rows.set_epoch(0)
    assert [rows[i] for i in reversed(range(200))] == first[::-1], "whatever was read before"
    never = Misspelt(examples, texts, 0.0, lambda texts: [[]])
    assert [never[i] for i in range(200)] == examples
