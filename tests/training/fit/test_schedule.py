"""How long networks train follows from the rows; variants fill up what is small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.fit.schedule import (
    is_short_of_text,
    refit_variant_count,
    student_epochs,
    student_layers,
    student_rate,
    teacher_epochs,
    variant_count,
    weight_bits,
)
from training.recipe import Recipe, read_recipe

LARGE = 40_000
SHORT = 20.0


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    path = tmp_path / "recipe.toml"
    path.write_text('[data]\nfiles = ["rows.csv"]\n[[task]]\nname = "intent"\nkind = "single"\n')
    return read_recipe(path)


def test_a_few_hundred_rows_take_a_fraction_of_the_steps_of_many(recipe: Recipe) -> None:
    steps = {rows: rows // 32 * teacher_epochs(recipe.teacher, rows) for rows in (700, 9000)}
    assert steps[700] < steps[9000] / 8
    texts = 700 + variant_count(recipe, 700, 0, SHORT)
    assert (
        texts * student_epochs(recipe, 700, texts, SHORT)
        < 9000 * student_epochs(recipe, 9000, 9000, SHORT) / 2
    )


def test_variants_fill_up_what_rows_and_other_text_lack(recipe: Recipe) -> None:
    assert variant_count(recipe, LARGE, 0, SHORT) == variant_count(recipe, 700, LARGE, SHORT) == 0
    assert (
        variant_count(recipe, 700, 300, SHORT) == variant_count(recipe, 1000, 0, SHORT) > LARGE / 10
    )


def test_of_few_rows_a_student_is_deeper_unless_the_recipe_or_the_base_says_otherwise(
    recipe: Recipe,
) -> None:
    own, shallow = recipe.student, replace(recipe.student, layers=2)
    assert student_layers(own, 700, 6) > student_layers(own, LARGE, 6)
    assert student_layers(own, 700, 2) == student_layers(shallow, 700, 6) == 2


def test_a_deeper_student_has_narrower_weights_and_half_the_rate_unless_told_otherwise(
    recipe: Recipe,
) -> None:
    deep, flat = (student_rate(recipe.student, rows) for rows in (700, LARGE))
    assert deep == flat / 2
    assert student_rate(replace(recipe.student, learning_rate=1e-3), 700) == 1e-3
    assert student_rate(replace(recipe.student, layers=2), 700) == flat
    assert (weight_bits(recipe, 700), weight_bits(recipe, LARGE)) == (4, 8)
    shallow = replace(recipe, student=replace(recipe.student, layers=2))
    assert weight_bits(shallow, 700) == 8
    own = replace(recipe, quantize=replace(recipe.quantize, weight_bits=8))
    assert weight_bits(own, 700) == 8


def test_a_small_table_is_short_of_text_until_it_has_thousands() -> None:
    assert is_short_of_text(700, 0)
    assert not is_short_of_text(700, LARGE)
    assert not is_short_of_text(LARGE, 0)


def test_a_refit_reads_as_many_as_the_student_and_some_of_many_rows(recipe: Recipe) -> None:
    few, many = 5000, LARGE
    assert refit_variant_count(recipe, few, 0, SHORT) == variant_count(recipe, few, 0, SHORT) > 0
    assert refit_variant_count(recipe, many, 0, SHORT) > variant_count(recipe, many, 0, SHORT)
    assert refit_variant_count(recipe, 700, 0, SHORT) < variant_count(recipe, 700, 0, SHORT)


def test_a_refit_reads_other_text_instead_where_there_is_some(recipe: Recipe) -> None:
    some, much = (refit_variant_count(recipe, LARGE, transfer, SHORT) for transfer in (2, LARGE))
    assert some == refit_variant_count(recipe, LARGE, 0, SHORT) - 1
    assert much == 0


def test_their_number_can_be_set(recipe: Recipe) -> None:
    without = replace(recipe, student=replace(recipe.student, variants=0))
    assert variant_count(without, 700, 0, SHORT) == 0
    assert refit_variant_count(without, LARGE, 0, SHORT) == 0


def test_a_large_table_takes_the_steps_that_its_teacher_asks_for(recipe: Recipe) -> None:
    assert student_epochs(recipe, LARGE, LARGE, SHORT) == 2 * teacher_epochs(recipe.teacher, LARGE)


def test_of_long_texts_fewer_are_made_and_read_as_many_tokens(recipe: Recipe) -> None:
    long = 512.0
    texts = {tokens: 100 + variant_count(recipe, 100, 0, tokens) for tokens in (64.0, long)}
    assert texts[long] * long == texts[64.0] * 64
    read = {tokens: texts[tokens] * student_epochs(recipe, 100, texts[tokens], tokens)
            for tokens in texts}  # fmt: skip
    assert read[long] * long == read[64.0] * 64
    assert variant_count(recipe, 2000, 0, long) == 0
