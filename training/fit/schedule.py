"""How long does each network train? Enough steps for a small table, few epochs for a large one."""

from __future__ import annotations

from training.recipe import Recipe, Teacher

TEACHER_STEPS = 2500
FEWEST_EPOCHS, MOST_EPOCHS = 4, 8
FEWEST_STUDENT_EPOCHS = 3
STUDENT_TEXTS = 8_000
"""Texts, the same or others, that a student learns from at least; variants fill up."""
FEWEST_TEXTS_READ = 24_000
"""That a student reads at least, in all epochs together."""


def teacher_epochs(settings: Teacher, rows: int) -> int:
    per_epoch = max(1, rows // (settings.batch_size * settings.accumulation_steps))
    epochs = round(TEACHER_STEPS / per_epoch)
    return settings.epochs or min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS)


def variant_count(recipe: Recipe, rows: int, transfer: int) -> int:
    """Variants of training texts that join `rows` and `transfer` rows of unlabelled text."""
    count = recipe.student.variants
    return max(0, STUDENT_TEXTS - rows - transfer) if count is None else count


def student_epochs(recipe: Recipe, rows: int, texts: int) -> int:
    """For twice the teacher's steps, over `texts`, of which `rows` are labelled."""
    read = max(2 * teacher_epochs(recipe.teacher, rows) * rows, FEWEST_TEXTS_READ)
    return recipe.student.epochs or max(round(read / texts), FEWEST_STUDENT_EPOCHS)
