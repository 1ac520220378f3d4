"""Is a rare label found by the head alone, at its price, where the recipe or its name says so?"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from training.recipe import read_recipe

if TYPE_CHECKING:
    from training.fit.network import ControlTokenClassifier
    from training.fit.vocabulary import TrimmedVocabulary
    from training.run import Run

WORDS = {"food": ("honey", "chicken", "tofu", "olive oil"), "tool": ("knife", "butter knife")}
STRANGE = ("raw", "boneless", "extra-virgin")


def table_rows() -> list[dict[str, str]]:
    """Texts of two kinds, and a few `other` ones, unlike each other."""
    dice = random.Random(1)
    rows = []
    for split, count in (("train", 200), ("validation", 300), ("test", 60)):
        for _ in range(count):
            label = dice.choice(("food", "tool"))
            text = " ".join(dice.choices(WORDS[label], k=3))
            rows.append({"text": text, "kind": label, "split": split})
        rows += [
            {"text": " ".join(dice.choices(STRANGE, k=3)), "kind": "other", "split": split}
            for _ in range(6)
        ]
    return rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, base: Path, vocabulary: TrimmedVocabulary) -> Run:
    """What the stage `student` leaves, with a head that is fitted to the two kinds alone."""
    import torch

    from training.distil.shrink import with_layers
    from training.fit.batches import examples, targets
    from training.fit.network import from_base, save_network
    from training.judge.catch_all import head_states
    from training.run import Run

    folder = tmp_path_factory.mktemp("rare")
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, table_rows())))
    (folder / "mine.toml").write_text(
        '[data]\nfiles = ["rows.jsonl"]\n[[task]]\nname = "kind"\nkind = "single"\n'
    )
    run = Run(read_recipe(folder / "mine.toml"), folder / "mine")
    (run.work / "vocabulary").mkdir(parents=True)
    run.tokenizer_path.write_text(vocabulary.tokenizer)
    (run.work / "vocabulary/facts.json").write_text('{"max_tokens": 16}')
    network = with_layers(from_base(base, vocabulary.base_ids, 2, 16, (3,)), 1).eval()
    rows = [row for row in run.table.split("train") if row.targets != (frozenset(("other",)),)]
    states = torch.from_numpy(head_states(network, examples(run, rows), 0)).float()
    with torch.no_grad():
        truth = torch.from_numpy(targets(run.table, rows))
        layer = network.task_heads[0]
        assert isinstance(layer, torch.nn.Linear)
        layer.weight.copy_(0.2 * (truth - truth.mean(0)).T @ states / len(rows))
        layer.bias.copy_(torch.tensor([0.0, -2.0, 0.0]))
    save_network(network, run.work / "student")
    return run


@pytest.fixture(scope="module")
def corrected(run: Run) -> tuple[ControlTokenClassifier, dict[str, Any]]:
    from training.judge.corrected_heads import corrected_network

    return corrected_network(run, "student")


@pytest.fixture(scope="module")
def as_trained(run: Run) -> ControlTokenClassifier:
    from training.judge.corrected_heads import corrected_network

    return corrected_network(run, "student", raised=False)[0]


def recall_and_rest(run: Run, network: ControlTokenClassifier) -> tuple[float, float]:
    """Percent of validation: of `other` that is found, of all other rows that are right."""
    from training.fit.batches import examples, network_logits, targets

    rows = run.table.split("validation")
    truth = targets(run.table, rows).argmax(1)
    right = network_logits(network, examples(run, rows)).argmax(1) == truth
    is_other = truth == run.heads["kind"].labels.index("other")
    return 100 * float(right[is_other].mean()), 100 * float(right[~is_other].mean())


def test_rows_of_other_are_found_at_the_price(
    run: Run,
    corrected: tuple[ControlTokenClassifier, dict[str, Any]],
    as_trained: ControlTokenClassifier,
) -> None:
    recall, rest = recall_and_rest(run, as_trained)
    recall_after, rest_after = recall_and_rest(run, corrected[0])
    assert recall_after > recall + 30
    assert rest - rest_after <= 1


def test_the_offset_is_a_plain_number_beside_what_it_stands_on(
    corrected: tuple[ControlTokenClassifier, dict[str, Any]],
) -> None:
    facts = corrected[1]
    offset = facts["kind"]["other"]
    assert (offset["rows"], offset["rest"]) == (6, 300)
    assert offset["limits"] == {"max_cost": 1.0, "min_recall": None}
    assert json.loads(json.dumps(facts)) == facts


def test_a_task_without_such_a_label_stays_as_it_was_trained(
    run: Run, as_trained: ControlTokenClassifier
) -> None:
    from training.judge.corrected_heads import corrected_network
    from training.run import Run

    (task,) = run.recipe.tasks
    recipe = replace(run.recipe, tasks=(replace(task, catch_all=()),))
    network, facts = corrected_network(Run(recipe, run.target), "student")
    assert facts == {}
    expected = as_trained.task_heads.state_dict()
    for name, weight in network.task_heads.state_dict().items():
        assert weight.tolist() == expected[name].tolist(), name


def test_without_validation_rows_a_head_stays_and_what_was_asked_for_is_told(run: Run) -> None:
    from training.fit.network import load_network
    from training.judge.corrected_heads import corrected_network
    from training.run import Run

    (task,) = run.recipe.tasks
    priced = replace(task, catch_all=("other",), min_recall={"other": 0.9, "tool": 0.5})
    bare = Run(replace(run.recipe, tasks=(priced,)), run.target)
    unlabelled = [
        replace(row, targets=(None,)) if row.split == "validation" else row
        for row in run.table.rows
    ]
    bare.table = replace(run.table, rows=tuple(unlabelled))
    network, facts = corrected_network(bare, "student")
    few = "0 validation rows are too few to tell a recall of"
    assert {label: offset["problem"] for label, offset in facts["kind"].items()} == {
        "other": f"{few} 0.9; 9 would do",
        "tool": f"{few} 0.5; 1 would do",
    }
    assert [offset["value"] for offset in facts["kind"].values()] == [0, 0]
    trained = load_network(run.work / "student").task_heads.state_dict()
    for name, weight in network.task_heads.state_dict().items():
        assert weight.tolist() == trained[name].tolist(), name
