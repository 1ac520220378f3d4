"""What each stage is made from: a change of any of it is named, and reruns what follows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tables.remote_table import RemoteTable
from tests.bigquery_standin import StoredTable, bigquery_standin
from training.origins import Origin, changes, fingerprint, origins, stages_up_to
from training.recipe import Data, DataFile, Recipe, RecipeError, Ship, read_recipe

FROZEN = Path(__file__).parents[1] / "frozen" / "recipe.toml"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return read_recipe(FROZEN)


def origin(recipe: Recipe, stage: str = "vocabulary") -> Origin:
    *_, (_, made_from) = origins(recipe, stages_up_to(recipe, stage))
    return made_from


def test_a_base_from_the_hub_has_digests_of_its_files(recipe: Recipe) -> None:
    assert recipe.base == "sentence-transformers/all-MiniLM-L6-v2"
    digests = origin(recipe)["base"]
    assert digests.keys() == {"config.json", "model.safetensors", "tokenizer.json"}
    weights = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert digests["model.safetensors"] == weights


def test_a_changed_file_of_the_base_is_named(
    recipe: Recipe, small_base: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(small_base, tmp_path / "base")
    local = replace(recipe, base=str(base))
    before = origin(local)
    assert changes(before, origin(local)) == ""
    (base / "tokenizer.json").write_text((base / "tokenizer.json").read_text() + "\n")
    assert changes(before, origin(local)) == "base changed: tokenizer.json"


def test_changed_code_is_named_by_its_files(recipe: Recipe) -> None:
    now = origin(recipe)
    code = now["code"]
    names = ["training/fit/vocabulary.py", "training/rows/table.py"]
    before = {**now, "code": {**code, **dict.fromkeys(names, "")}}
    assert changes(before, now) == f"code changed: {', '.join(names)}"
    without = dict.fromkeys(code, "")
    assert f" and {len(code) - 3} more" in changes({**now, "code": without}, now)


def test_splits_that_another_rule_drew_are_named(recipe: Recipe) -> None:
    now = origin(recipe)
    before = {key: value for key, value in now.items() if key != "rule that draws the splits"}
    assert changes(before, now) == "rule that draws the splits changed"


def test_changed_keys_are_shown_with_both_values(recipe: Recipe) -> None:
    trimmed = replace(recipe, vocabulary=replace(recipe.vocabulary, pieces=500))
    assert changes(origin(recipe), origin(trimmed)) == "recipe pieces: null is now 500"
    before, after = (origin(r, "teacher") for r in (recipe, trimmed))
    assert changes(before, after) == "the stage before it ran again"
    assert fingerprint(recipe, "teacher") != fingerprint(trimmed, "teacher")
    card = replace(recipe, card=replace(recipe.card, limits="None."))
    assert fingerprint(recipe, "evaluate") == fingerprint(card, "evaluate")


def test_what_changes_rows_or_columns_alone_is_a_change(recipe: Recipe) -> None:
    before, (first, *others) = origin(recipe), recipe.data.files
    files = (replace(first, corrects=True), *others)
    corrects = replace(recipe, data=replace(recipe.data, files=files))
    assert changes(before, origin(corrects)) == "data changed"
    turned = replace(recipe, tasks=recipe.tasks[::-1])
    assert changes(before, origin(turned)) == "order of the tasks changed"
    variants = replace(recipe, student=replace(recipe.student, variants=7))
    assert changes(origin(recipe, "soft"), origin(variants, "soft")).startswith("recipe variants: ")


def test_a_stage_that_the_recipe_leaves_out_is_refused(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match=r"leaves the stage pretrain out, .* \[pretrain\]"):
        stages_up_to(recipe, "pretrain")


def test_a_recipe_without_refit_ships_the_held_out_fit(recipe: Recipe) -> None:
    held_out = replace(recipe, ship=Ship(refit=False))
    names = [stage.name for stage in stages_up_to(recipe, "bundle")]
    left_out = [stage.name for stage in stages_up_to(held_out, "bundle")]
    assert [name for name in names if name not in left_out] == ["refit", "verify"]
    with pytest.raises(RecipeError, match=r"stage refit out, .* not where \[ship\] refit is false"):
        stages_up_to(held_out, "refit")


def test_a_changed_table_of_bigquery_is_other_data(
    recipe: Recipe, small_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Data((DataFile(RemoteTable("bq://p.d.t")),))
    remote = replace(recipe, base=str(small_base), data=data)
    with bigquery_standin() as standin:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", standin.host)
        monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "any")
        with pytest.raises(RecipeError, match=r"^bq://p\.d\.t: Not found: Table p\.d\.t; give bq:"):
            origin(remote)
        table = standin.tables["p.d.t"] = StoredTable([{"name": "text", "type": "STRING"}], [["a"]])
        before = origin(remote)
        assert changes(before, origin(remote)) == ""
        table.rows[0] = ["b"]
        assert changes(before, origin(remote)) == "data changed"
