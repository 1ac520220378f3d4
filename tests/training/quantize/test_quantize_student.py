"""Are remedies tried in order, and is what is to blame named when none helps?"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from model.bundle import read_bundle
from model.bundle_writer import copied_bundle
from model.classifier import Classifier
from training.judge.drops import int8_warnings
from training.quantize.expected_drop import expected_drops
from training.quantize.quantize_student import (
    QuantizationError,
    attempts,
    best_attempt,
    refuse_unknown,
)
from training.recipe import Quantize, read_recipe
from training.rows.table import Table, read_table
from training.run import RunError

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "model" / "ingredients"
WORST = ["layer.0.output.dense", "layer.1.output.dense", "a", "b", "c"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    folder = tmp_path_factory.mktemp("gate")
    with gzip.open(
        ROOT / "training/ingredients/ingredients.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        rows = [json.loads(line) for line in lines]
    chosen = [row for row in rows if row["split"] == "validation"][:300]
    chosen += [
        {**row, "split": split} for row, split in zip(chosen, ("train", "test"), strict=False)
    ]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, chosen)))
    (folder / "recipe.toml").write_text(
        '[data]\nfiles = ["rows.jsonl"]\n[[task]]\nname = "source"\nkind = "single"\n'
        '[[task]]\nname = "ingredient"\nkind = "single"\n'
    )
    return read_table(read_recipe(folder / "recipe.toml"))


def test_remedies_come_in_order() -> None:
    tried = list(attempts(Quantize(), WORST))
    assert tried[0] == Quantize()
    assert tried[1] == Quantize(embedding_bits=8)
    assert [attempt.block_size for attempt in tried[1:3]] == [32, 16]
    assert tried[3].scheme == "dynamic"
    assert [attempt.keep for attempt in tried[-3:]] == [(*WORST[:n],) for n in (1, 2, 4)]
    tried = list(attempts(Quantize(weight_bits=4), WORST))
    assert [attempt.weight_bits for attempt in tried[:3]] == [4, 4, 8]
    assert [attempt.block_size for attempt in tried[2:4]] == [32, 16]
    settings = Quantize(scheme="dynamic", per_channel=False, embedding_bits=8)
    tried = list(attempts(settings, WORST))
    assert [attempt.per_channel for attempt in tried] == [False, *[True] * 7]
    assert [attempt.reduce_range for attempt in tried[:3]] == [False, False, True]
    assert not tried[3].signed
    assert tried[4].scheme == "matmul_nbits"


def test_embeddings_that_are_kept_get_no_more_bits() -> None:
    tried = list(attempts(Quantize(keep=("embeddings",)), WORST))
    assert {attempt.embedding_bits for attempt in tried} == {4}
    assert all("embeddings" in attempt.keep for attempt in tried)


def test_a_layer_to_keep_that_the_network_lacks_is_refused_with_those_it_has() -> None:
    refuse_unknown(("embeddings", WORST[0]), ["embeddings", *WORST])
    known = "those of this network are layer.0.output.dense, layer.1.output.dense, a, b, c"
    with pytest.raises(RunError, match=rf"\[quantize\] keep: no layer 'pooler'; {known}"):
        refuse_unknown(("a", "pooler"), WORST)


@pytest.fixture
def ruined(tmp_path: Path) -> Path:
    """The shipped bundle, its answers turned upside down."""
    bundle = read_bundle(SHIPPED)
    tasks = tuple(task.changed(labels=task.labels[::-1]) for task in bundle.tasks)
    return copied_bundle(bundle, tmp_path / "ruined", tasks=tasks).path


def test_the_first_attempt_that_keeps_within_max_drop_is_taken(table: Table, ruined: Path) -> None:
    settings = Quantize(max_drop=0.3)
    bundles = {4: ruined, 8: SHIPPED}
    facts = best_attempt(
        table, SHIPPED, settings, WORST, lambda attempt: bundles[attempt.embedding_bits]
    )
    assert facts["settings"]["embedding_bits"] == 8
    assert facts["drops"]["ingredient"]["drop"] == 0
    assert len(facts["tried"]) == 1
    assert "ingredient" in facts["tried"][0]
    assert Classifier.load(ruined).predict(["salt"]) != Classifier.load(SHIPPED).predict(["salt"])


def test_when_nothing_helps_task_drop_and_layer_are_named(table: Table, ruined: Path) -> None:
    with pytest.raises(QuantizationError) as caught:
        best_attempt(table, SHIPPED, Quantize(max_drop=0.3), WORST, lambda _: ruined)
    message = str(caught.value)
    assert "int8 loses more than max_drop = 0.3 on validation" in message
    assert "ingredient" in message
    assert "layer.0.output.dense" in message
    assert "dynamic" in message


def tagged_table(folder: Path, sweet: int) -> Table:
    """100 validation rows, of each text what the shipped bundle answers; some are sweeteners."""
    rows = [
        {"text": text, "split": split, "category": [label], "row": f"{split} {place}"}
        for split in ("train", "validation", "test")
        for place, (text, label) in enumerate(
            [("raw honey", "sweetener")] * sweet
            + [("boneless chicken breast", "meat")] * (100 - sweet)
        )
    ]
    (folder / "tagged.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "tagged.toml").write_text(
        '[data]\nfiles = ["tagged.jsonl"]\ngroup = "row"\n'
        '[[task]]\nname = "category"\nkind = "multi"\n'
    )
    return read_table(read_recipe(folder / "tagged.toml"))


def without(label: str, target: Path) -> Path:
    """The shipped bundle, which never answers that label."""
    bundle = read_bundle(SHIPPED)
    tasks = tuple(
        task.changed(
            thresholds=tuple(
                1.0 if name == label else cut
                for name, cut in zip(task.labels, task.thresholds or (), strict=True)
            )
        )
        if task.name == "category"
        else task
        for task in bundle.tasks
    )
    return copied_bundle(bundle, target, tasks=tasks).path


def test_of_losses_that_rows_do_not_prove_the_least_ships_and_is_unsure(tmp_path: Path) -> None:
    """Three of 100 rows lost are past max_drop = 0.3, but not for certain; all 97 would be."""
    table = tagged_table(tmp_path, 3)
    sour, meatless = without("sweetener", tmp_path / "sour"), without("meat", tmp_path / "meatless")
    made: list[Path] = []

    def make(attempt: Quantize) -> Path:
        made.append(sour if attempt.scheme == "dynamic" else meatless)
        return made[-1]

    facts = best_attempt(table, SHIPPED, Quantize(max_drop=0.3), WORST, make)
    assert facts["settings"]["scheme"] == "dynamic"
    assert made[-1] == sour, "the bundle that is left is the one that is taken"
    assert len(facts["tried"]) == len(list(attempts(Quantize(), WORST)))
    assert facts["unsure"] == ["category"]
    assert facts["drops"]["category"]["drop"] == pytest.approx(1.52, abs=0.01)
    (warning,) = int8_warnings(json.loads(json.dumps(facts)), 0.3, "undecided")
    assert "category: lost 1.52 points (-" in warning
    assert "100 rows are too few to tell whether the loss is above 0.3, about" in warning


def test_a_remedy_is_taken_when_the_first_attempt_lost_a_row(tmp_path: Path) -> None:
    table, sour = tagged_table(tmp_path, 1), without("sweetener", tmp_path / "sour")
    bundles = {4: sour, 8: SHIPPED}
    settings = Quantize(max_drop=0.3)
    facts = best_attempt(table, SHIPPED, settings, WORST, lambda a: bundles[a.embedding_bits])
    assert facts["settings"]["embedding_bits"] == 8
    assert facts["unsure"] == ["category"], "as measured nothing is lost, but of 100 rows alone"
    assert int8_warnings(facts, 0.3, "undecided") == []


@pytest.mark.parametrize(("sweet", "bits"), [(0, 4), (5, 8)])
def test_what_rows_do_not_tell_text_without_labels_does(
    tmp_path: Path, sweet: int, bits: int
) -> None:
    table, sour = tagged_table(tmp_path, 1), without("sweetener", tmp_path / "sour")
    bundles = {4: sour, 8: SHIPPED}
    texts = ["maple syrup"] * sweet + ["boneless chicken breast"] * 50
    facts = best_attempt(
        table, SHIPPED, Quantize(max_drop=0.3), WORST, lambda a: bundles[a.embedding_bits], texts
    )
    assert facts["settings"]["embedding_bits"] == bits
    assert facts["unsure"] == ["category"]
    ending = "would tell; of text without labels 0.00 points are expected"
    warnings = int8_warnings(facts, 0.3, "undecided")
    assert [warning.endswith(ending) for warning in warnings] == [True] * (bits == 4)


def test_what_is_expected_to_be_lost_follows_from_the_scores_of_fp32(
    tmp_path: Path, ruined: Path
) -> None:
    texts = ["maple syrup", "boneless chicken breast"]
    assert expected_drops(SHIPPED, SHIPPED, texts) == {
        task.name: 0 for task in read_bundle(SHIPPED).tasks
    }
    drops = expected_drops(SHIPPED, ruined, texts)
    assert drops["ingredient"] > 80, "turned upside down, and fp32 is sure"
    sour = expected_drops(SHIPPED, without("sweetener", tmp_path / "sour"), texts)
    assert sour["ingredient"] == sour["source"] == 0
    assert 20 < sour["category"] < 50, "one label of two is missing"
    assert expected_drops(SHIPPED, ruined, []) == {}
