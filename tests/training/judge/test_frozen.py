"""The base without training: a baseline of every report, and a member of the committee."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.fit.sentence_vectors import sentence_vectors
from training.judge.frozen import FrozenModel, fit_frozen
from training.pipeline import run_stages
from training.recipe import read_recipe
from training.run import Run

RECIPE = """
[data]
files = ["rows.jsonl"]
[[task]]
name = "topic"
kind = "single"
[[task]]
name = "about"
kind = "multi"
"""
TEXTS = {
    "lost_card": ["i cannot find it in my wallet", "it must have fallen out of my pocket"],
    "exchange_rate": ["how many dollars for a euro", "what is a pound worth in yen"],
    "weather": ["do i need an umbrella", "how cold is it outside"],
    "music": ["play something by mozart", "put on that song again"],
}
UNSEEN = {
    "i lost my card": "lost_card",
    "what is the exchange rate today": "exchange_rate",
    "tell me the weather": "weather",
    "i want to listen to music": "music",
}


@pytest.fixture(scope="module")
def model(base: Path, tmp_path_factory: pytest.TempPathFactory) -> FrozenModel:
    folder = tmp_path_factory.mktemp("frozen")
    rows = [
        {"text": text, "topic": topic, "about": [topic], "split": split}
        for topic, (first, second) in TEXTS.items()
        for text, split in ((first, "train"), (second, "validation"), (second, "test"))
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "recipe.toml").write_text(RECIPE)
    run = Run(read_recipe(folder / "recipe.toml"), folder / "out")
    run_stages(run, "vocabulary")
    return fit_frozen(run)


def test_a_row_of_each_label_is_enough_to_answer_texts_without_its_words(
    model: FrozenModel,
) -> None:
    texts = [second for _, second in TEXTS.values()]
    answers = model.answers(texts)
    assert answers.shape == (4, 8)
    topics = sorted(TEXTS)
    assert [topics[place] for place in answers[:, :4].argmax(1)] == list(TEXTS)
    assert answers[:, :4].sum(1).tolist() == [1, 1, 1, 1]


def test_the_committees_member_knows_what_labels_are_called(model: FrozenModel) -> None:
    topics = sorted(TEXTS)
    logits = model.logits(list(UNSEEN))
    for columns in (logits[:, :4], logits[:, 4:]):
        assert [topics[place] for place in columns.argmax(1)] == list(UNSEEN.values())
    assert np.isfinite(logits).all()


def test_texts_that_were_read_before_keep_their_vectors_among_others(model: FrozenModel) -> None:
    texts = [*UNSEEN, *TEXTS["music"], *UNSEEN, TEXTS["weather"][0]]
    again = sentence_vectors(model.base, texts, model.max_tokens)
    np.testing.assert_allclose(model.vectors(texts), again, atol=0.01)
    assert model.vectors([]).shape == (0, again.shape[1])
