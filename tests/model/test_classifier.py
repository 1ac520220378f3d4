"""Predictions: their shape, their order, and that texts do not disturb each other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import classifier as module
from model.bundle import MODEL, TOKENIZER, Bundle, BundleError, read_bundle
from model.bundle_writer import write_bundle
from model.classifier import Classifier
from model.softmax import Softmax

if TYPE_CHECKING:
    from model.answers import Prediction

TEXTS = ["boneless chicken breast", "raw honey", "butter knife", "salt", "milk " * 40]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
MARGIN = 0.05
"""Closer probabilities than this may change places when the kernels add in another order."""


@pytest.mark.parametrize(
    ("text", "ingredient", "source", "category"),
    [
        ("boneless chicken breast", "ingredient", "animal", ["meat"]),
        ("raw honey", "ingredient", "animal_product", ["sweetener"]),
        ("butter knife", "not_ingredient", None, None),
    ],
)
def test_golden_answers(
    classifier: Classifier,
    text: str,
    ingredient: str,
    source: str | None,
    category: list[str] | None,
) -> None:
    prediction = classifier.predict([text])[0]
    assert prediction["ingredient"][0]["label"] == ingredient
    if source is not None:
        assert prediction["source"][0]["label"] == source
        assert [label["label"] for label in prediction["category"]] == category


def test_answers_follow_from_the_logits(classifier: Classifier) -> None:
    bundle = classifier.bundle
    logits = classifier.logits(TEXTS)
    assert logits.dtype == np.float32
    assert logits.shape == (len(TEXTS), sum(len(task.labels) for task in bundle.tasks))
    probabilities = Softmax(bundle.tasks)(logits)
    predictions = classifier.predict(TEXTS, top_k=2)
    assert classifier.answers(logits, top_k=2) == predictions
    np.testing.assert_array_equal(classifier.probabilities(logits), probabilities)
    for row, prediction in zip(probabilities, predictions, strict=True):
        start = 0
        for task in bundle.tasks:
            scores = dict(zip(task.labels, row[start:].tolist(), strict=False))
            start += len(task.labels)
            ranked = sorted(scores.items(), key=lambda item: -item[1])
            if task.thresholds is None:
                expected = ranked[:2]
            else:
                thresholds = dict(zip(task.labels, task.thresholds, strict=True))
                expected = [(label, score) for label, score in ranked if score >= thresholds[label]]
            actual = [(label["label"], label["score"]) for label in prediction[task.name]]
            assert [label for label, _ in actual] == [label for label, _ in expected]
            np.testing.assert_allclose(
                [score for _, score in actual], [score for _, score in expected], rtol=1e-12
            )


def test_top_k_is_capped_and_a_distribution(classifier: Classifier) -> None:
    for task in classifier.bundle.tasks:
        labels = classifier.predict(["salt"], [task.name], top_k=1000)[0][task.name]
        scores = [label["score"] for label in labels]
        assert scores == sorted(scores, reverse=True)
        assert all(type(score) is float and 0 <= score <= 1 for score in scores)
        if task.kind == "single":
            assert {label["label"] for label in labels} == set(task.labels)
            assert sum(scores) == pytest.approx(1)


def test_only_tasks_asked_for_are_answered_and_agree(classifier: Classifier) -> None:
    whole = classifier.predict(TEXTS)
    for tasks in (["source"], ["category", "ingredient"], ["category", "source", "ingredient"]):
        part = classifier.predict(TEXTS, tasks)
        assert [list(prediction) for prediction in part] == [tasks] * len(TEXTS)
        for one, other in zip(part, whole, strict=True):
            assert firm(one, classifier.bundle) <= loose(other, classifier.bundle)


def firm(prediction: Prediction, bundle: Bundle) -> set[tuple[str, str]]:
    """The (task, label) pairs that no small change of a score could take away."""
    return labels_past(prediction, bundle, MARGIN)


def loose(prediction: Prediction, bundle: Bundle) -> set[tuple[str, str]]:
    return labels_past(prediction, bundle, 0.0)


def labels_past(prediction: Prediction, bundle: Bundle, margin: float) -> set[tuple[str, str]]:
    pairs = set()
    for task in bundle.tasks:
        answers = prediction.get(task.name, [])
        if task.thresholds is None:
            # A top label with more than half of the mass has no equal.
            answers = [one for one in answers[:1] if margin == 0 or one["score"] > 0.5 + margin]
            pairs |= {(task.name, one["label"]) for one in answers}
        else:
            thresholds = dict(zip(task.labels, task.thresholds, strict=True))
            pairs |= {
                (task.name, one["label"])
                for one in answers
                if one["score"] >= thresholds[one["label"]] + margin
            }
    return pairs


@given(TEXT, st.lists(TEXT, max_size=6))
@settings(max_examples=40, deadline=None)
def test_other_texts_do_not_change_an_answer(
    classifier: Classifier, text: str, others: list[str]
) -> None:
    alone = classifier.predict([text])[0]
    batch = classifier.predict([*others, text])[-1]
    assert firm(alone, classifier.bundle) <= loose(batch, classifier.bundle)
    assert firm(batch, classifier.bundle) <= loose(alone, classifier.bundle)


def test_a_long_list_keeps_its_order(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{'honey ' * (index % 7)}salt {index}" for index in range(50)]
    expected = classifier.logits(texts)
    monkeypatch.setattr(module, "WINDOW_TEXTS", 16)
    monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    np.testing.assert_allclose(classifier.logits(tuple(texts)), expected, atol=0.1)
    detailed = classifier.predict_detailed([*texts, "salt " * 500, "a", "b " * 500])
    assert detailed.truncated == [50, 52]
    assert len(detailed.predictions) == 53


def test_any_sequence_and_none_at_all(classifier: Classifier) -> None:
    expected = classifier.predict(TEXTS)
    assert classifier.predict(tuple(TEXTS)) == expected
    assert classifier.predict(np.array(TEXTS)) == expected  # type: ignore[arg-type]
    assert classifier.predict([]) == []
    assert classifier.logits([]).shape == (0, classifier.logits(["a"]).shape[1])


def test_a_blank_text_has_an_answer(classifier: Classifier) -> None:
    assert list(classifier.predict([""])[0]) == [task.name for task in classifier.bundle.tasks]


def test_unknown_tasks_name_the_known_ones(classifier: Classifier) -> None:
    match = r"unknown tasks: \['colour'\]; this bundle knows: ingredient, source, category"
    with pytest.raises(ValueError, match=match):
        classifier.predict(["salt"], ["source", "colour"])
    with pytest.raises(ValueError, match=r"tasks is \[\]; send a list"):
        classifier.predict(["salt"], [])
    with pytest.raises(ValueError, match="tasks is 'source'; send a list"):
        classifier.predict(["salt"], "source")


def test_labels_below_min_score_are_left_out(classifier: Classifier) -> None:
    everything = classifier.predict(TEXTS, top_k=5)
    for task in ("source", "category"):
        for before, after in zip(
            everything, classifier.predict(TEXTS, top_k=5, min_score={task: 0.6}), strict=True
        ):
            remaining = [entry for entry in before[task] if entry["score"] >= 0.6]
            assert after == {**before, task: remaining}
    assert classifier.predict(["salt"], ["source"], min_score={"source": 1.0}) == [{"source": []}]
    with pytest.raises(ValueError, match=r"unknown tasks: \['taste'\]"):
        classifier.predict(["salt"], min_score={"taste": 0.5})


def test_answers_from_logits_take_the_same_options(classifier: Classifier) -> None:
    tasks, min_score = ["category", "source"], {"source": 0.6}
    expected = classifier.predict(TEXTS, tasks, 3, min_score)
    assert classifier.answers(classifier.logits(TEXTS, tasks), tasks, 3, min_score) == expected
    with pytest.raises(ValueError, match=r"unknown tasks: \['colour'\]"):
        classifier.answers(classifier.logits(TEXTS), ["colour"])


def test_top_k_below_one(classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="top_k is 0; ask for 1 label or more"):
        classifier.predict(["salt"], top_k=0)


def test_two_threads_answer_as_one_does(bundle_path: Path, classifier: Classifier) -> None:
    parallel = Classifier.load(bundle_path, threads=2)
    np.testing.assert_allclose(parallel.logits(TEXTS), classifier.logits(TEXTS), atol=0.1)


def rebuilt(bundle_path: Path, tmp_path: Path, **changes: Any) -> Path:
    """The bundle with other parts, its hashes right."""
    bundle = read_bundle(bundle_path)
    parts: dict[str, Any] = {
        "name": bundle.name,
        "base": bundle.base,
        "max_tokens": bundle.max_tokens,
        "tasks": bundle.tasks,
        "model": bundle_path / MODEL,
        "tokenizer": bundle_path / TOKENIZER,
        "card": "",
        "metrics": {},
    }
    return write_bundle(tmp_path / "rebuilt", **{**parts, **changes}).path


@pytest.mark.parametrize(
    ("part", "match"),
    [
        ("model", r"model\.onnx: onnxruntime cannot load it"),
        ("tokenizer", r"tokenizer\.json: tokenizers cannot read it"),
    ],
)
def test_a_file_with_the_right_hash_and_the_wrong_content(
    bundle_path: Path, tmp_path: Path, part: str, match: str
) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("nonsense")
    path = rebuilt(bundle_path, tmp_path, **{part: nonsense})
    with pytest.raises(BundleError, match=match) as failure:
        Classifier.load(path)
    assert str(tmp_path) in str(failure.value)
    assert str(tmp_path) not in failure.value.problem


def test_files_that_do_not_belong_together(bundle_path: Path, tmp_path: Path) -> None:
    tasks = read_bundle(bundle_path).tasks[:1]
    with pytest.raises(BundleError, match=r"model\.onnx: gives 30 logits, bundle\.json names 2"):
        Classifier.load(rebuilt(bundle_path, tmp_path, tasks=tasks))


def test_a_tokenizer_that_truncates_is_refused(bundle_path: Path, tmp_path: Path) -> None:
    tokenizer = json.loads((bundle_path / TOKENIZER).read_bytes())
    tokenizer["truncation"] = {
        "direction": "Right",
        "max_length": 9,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    path = tmp_path / "tokenizer"
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(BundleError, match=r"tokenizer\.json: truncates or pads; export it without"):
        Classifier.load(rebuilt(bundle_path, tmp_path, tokenizer=path))


def test_a_broken_bundle_is_named_file_by_file(bundle_path: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(bundle_path, tmp_path / "broken")
    (broken / MODEL).write_bytes(b"cut")
    (broken / TOKENIZER).unlink()
    with pytest.raises(BundleError, match=r"model\.onnx: 3 bytes.*tokenizer\.json: No such file"):
        Classifier.load(broken)
