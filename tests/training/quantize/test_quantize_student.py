"""Are remedies tried in order, and is what is to blame named when none helps?"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from model.bundle import read_bundle
from model.bundle_writer import copied_bundle
from model.classifier import Classifier
from training.quantize.quantize_student import QuantizationError, attempts, best_attempt
from training.recipe import Quantize, read_recipe
from training.rows.table import Table, read_table

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
    settings = Quantize(scheme="dynamic", per_channel=False, embedding_bits=8)
    tried = list(attempts(settings, WORST))
    assert [attempt.per_channel for attempt in tried] == [False, *[True] * 7]
    assert [attempt.reduce_range for attempt in tried[:3]] == [False, False, True]
    assert not tried[3].signed
    assert tried[4].scheme == "matmul_nbits"


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
