"""How long does each network train, and how deep is the student? It depends on the rows.

A small table gets enough steps, a large one few epochs. Few rows say little of their task, so what
the base knows counts for more, and a student of more layers holds more of it; most of its weights
have four bits then, so that the bundle is no larger.
"""

from __future__ import annotations

from typing import Literal

from training.recipe import Recipe, Student, Teacher

TEACHER_STEPS = 1250
FEWEST_EPOCHS, MOST_EPOCHS = 4, 6
STUDENT_EPOCHS, STUDENT_EPOCHS_OF_FEW_ROWS = 3, 2
"""At least."""
STUDENT_TEXTS = 7_000
"""Texts, the same or others, that a student learns from at least; variants fill up."""
FEWEST_TEXTS_READ = 14_000
"""That a student reads at least, in all epochs together."""
VARIANTS_OF_REFIT, MOST_VARIANTS_OF_REFIT = 0.25, 2
"""For each training row. Without any, a pass unlearns some of what other texts need."""
LONG_TOKENS = 64
"""Where texts have more on average, fewer of them do: as many tokens."""


FEW_ROWS = 3_000
LAYERS, LAYERS_OF_FEW_ROWS = 3, 6
RATE = 4e-4


def student_layers(settings: Student, rows: int, most: int) -> int:
    """Layers of the student of a teacher that has `most`."""
    return settings.layers or min(LAYERS_OF_FEW_ROWS if rows <= FEW_ROWS else LAYERS, most)


def student_rate(settings: Student, rows: int) -> float:
    """Highest learning rate: what is as deep as its teacher has less to find anew."""
    return settings.learning_rate or (RATE / 2 if is_deep(settings, rows) else RATE)


def weight_bits(recipe: Recipe, rows: int) -> Literal[4, 8]:
    """Of most weights of an int8 student: six layers of 8 bits would make more than 10 MB."""
    return recipe.quantize.weight_bits or (4 if is_deep(recipe.student, rows) else 8)


def is_deep(settings: Student, rows: int) -> bool:
    """Whether the student has more layers, as few rows need it."""
    return settings.layers is None and rows <= FEW_ROWS


def is_short_of_text(rows: int, transfer: int) -> bool:
    """Whether more text without labels would show, beside `transfer` texts and so many rows."""
    return rows <= FEW_ROWS and transfer < STUDENT_TEXTS


def teacher_epochs(settings: Teacher, rows: int) -> int:
    per_epoch = max(1, rows // (settings.batch_size * settings.accumulation_steps))
    epochs = round(TEACHER_STEPS / per_epoch)
    return settings.epochs or min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS)


def variant_count(recipe: Recipe, rows: int, transfer: int, tokens: float) -> int:
    """Variants of training texts that join `rows` and `transfer` rows of unlabelled text.

    `tokens` are read of a training text on average.
    """
    count = recipe.student.variants
    texts = round(STUDENT_TEXTS * _share(tokens))
    return max(0, texts - rows - transfer) if count is None else count


def refit_variant_count(recipe: Recipe, rows: int, transfer: int, tokens: float) -> int:
    """Variants that a refit reads beside all rows and every other one of `transfer`: as many as the
    student learnt from, and some where that one needed none."""
    count = variant_count(recipe, rows, transfer, tokens)
    if recipe.student.variants is None:
        count = max(count, round(VARIANTS_OF_REFIT * rows) - transfer // 2)
    return min(count, MOST_VARIANTS_OF_REFIT * rows)


def student_epochs(recipe: Recipe, rows: int, texts: int, tokens: float) -> int:
    """For twice the texts that the teacher reads, over `texts`, of which `rows` are labelled."""
    fewest = round(FEWEST_TEXTS_READ * _share(tokens))
    read = max(2 * teacher_epochs(recipe.teacher, rows) * rows, fewest)
    fewest_epochs = STUDENT_EPOCHS_OF_FEW_ROWS if rows <= FEW_ROWS else STUDENT_EPOCHS
    return recipe.student.epochs or max(round(read / texts), fewest_epochs)


def _share(tokens: float) -> float:
    return min(1.0, LONG_TOKENS / tokens)
