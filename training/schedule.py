"""How long does each network train? Enough steps for a small table, few epochs for a large one."""

from __future__ import annotations

from training.recipe import Student, Teacher

WANTED_STEPS = 2500
FEWEST_EPOCHS, MOST_EPOCHS = 4, 20


def teacher_epochs(settings: Teacher, rows: int) -> int:
    per_epoch = max(1, rows // (settings.batch_size * settings.accumulation_steps))
    wanted = round(WANTED_STEPS / per_epoch)
    return settings.epochs or min(max(wanted, FEWEST_EPOCHS), MOST_EPOCHS)


def student_epochs(settings: Student, teacher: Teacher, rows: int) -> int:
    return settings.epochs or 2 * teacher_epochs(teacher, rows)
