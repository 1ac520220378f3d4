"""How long does each network train? Enough steps for a small table, few epochs for a large one."""

from __future__ import annotations

from training.recipe import Recipe, Teacher

TEACHER_STEPS = 2500
FEWEST_EPOCHS, MOST_EPOCHS = 4, 20
FEWEST_STUDENT_EPOCHS = 3


def teacher_epochs(settings: Teacher, rows: int) -> int:
    per_epoch = max(1, rows // (settings.batch_size * settings.accumulation_steps))
    epochs = round(TEACHER_STEPS / per_epoch)
    return settings.epochs or min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS)


def student_epochs(recipe: Recipe, rows: int, transfer: int) -> int:
    """Twice the teacher's steps, over its `rows` and the `transfer` rows of unlabelled text."""
    as_long = 2 * teacher_epochs(recipe.teacher, rows) * rows / (rows + transfer)
    return recipe.student.epochs or max(round(as_long), FEWEST_STUDENT_EPOCHS)
