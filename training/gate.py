"""Did int8 cost too much? Compared with fp32 on validation, before a bundle is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.evaluate import answers
from training.metrics import answered, drop_interval, label_counts
from training.rows import Table


class QuantizationError(RuntimeError):
    """int8 lost more than the recipe allows; the message names the task and the drop."""


def check_drops(table: Table, exact: Path, int8: Path, allowed: float) -> dict[str, Any]:
    """{task: points lost and its 95 % interval} from the bundle `exact` to `int8`.

    Raises QuantizationError when even an interval's low end is more than `allowed`.
    """
    rows = table.split("validation")
    before, after = answers(exact, rows), answers(int8, rows)
    drops, fallen = {}, []
    for index, (task, labels) in enumerate(zip(table.tasks, table.labels, strict=True)):
        truth, said = answered(index, task.name, rows, before)
        if not truth:
            continue
        counts = label_counts(labels, truth, said)
        _, said = answered(index, task.name, rows, after)
        drop, low, high = drop_interval(task.kind, counts, label_counts(labels, truth, said))
        drops[task.name] = {"drop": round(drop, 2), "low": round(low, 2), "high": round(high, 2)}
        if low > allowed:
            interval = f"95 % interval {low:.2f} to {high:.2f}"
            fallen.append(f"{task.name} lost {drop:.2f} points ({interval})")
    if fallen:
        raise QuantizationError(
            f"int8 loses more than max_drop = {allowed} on validation: {'; '.join(fallen)}. "
            'Raise [quantize] max_drop, or try another scheme ("matmul_nbits", "dynamic")'
        )
    return drops
