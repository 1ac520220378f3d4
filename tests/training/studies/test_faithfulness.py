"""Do explanations name the words that carry an answer? Measured on texts where that is plain."""

from __future__ import annotations

from pathlib import Path

from model.classifier import Classifier
from training.studies.faithfulness import FIGURES, WordTrial, measure, read_texts, trials_of

TEXTS = ["raw honey", "butter knife", "some fresh salmon", "cardboard box", "ground beef"]


def test_texts_are_those_of_the_split_with_two_words_or_more(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("text,split\nraw honey,test\nhoney,test\nold honey,train\nraw honey,test\n")
    assert read_texts(table, "test", 9) == ["raw honey"]
    table.write_text("text\nraw honey\nold honey\nnew honey\n")
    assert len(read_texts(table, "test", 2)) == 2


def test_the_word_named_first_is_compared_with_another(classifier: Classifier) -> None:
    trials = trials_of(classifier, TEXTS)
    assert WordTrial("raw honey", "source", "animal_product", (4, 9), (0, 3)) in trials
    assert all(trial.first != trial.drawn for trial in trials)
    (example,) = {trial for trial in trials if trial.text == "raw honey" and trial.task == "source"}
    assert example.texts() == ["raw honey", "raw ", " honey", "honey", "raw"]


def test_what_is_plain_is_measured_so(classifier: Classifier) -> None:
    trials = [
        WordTrial("raw honey", "source", "animal_product", (4, 9), (0, 3)),
        WordTrial("raw honey", "source", "animal_product", (0, 3), (4, 9)),
    ]
    both, right, wrong = (
        measure(classifier, chosen)["source"] for chosen in (trials, trials[:1], trials[1:])
    )
    assert list(right) == list(FIGURES)
    shares = ("lowered_more_percent", "likeliest_with_first_percent")
    assert [right[share] for share in shares] == [100, 100]
    assert [wrong[share] for share in shares] == [0, 0]
    assert [both[share] for share in shares] == [50, 50]
    assert right["change_without_first"] < -0.5 < right["change_without_random"]
