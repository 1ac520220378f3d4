"""What does each task lose from the deployed bundle to a candidate, on rows that none has seen?

A bundle's answers are those that its run held out and recorded, since a refitted bundle has seen
every row. One that was not refitted and has no record is asked. A deployed bundle whose answers
cannot be had so is known by the figures of its card alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.bundle import Bundle, BundleError, read_bundle
from tables.held_out import HeldOut, read_record, record_path
from training.judge.drops import Drop, measured_drops
from training.judge.held_out_answers import held_out_record, judged_record
from training.judge.judged import JudgedTask, judge_bundle
from training.judge.metrics import HEADLINE
from training.judge.refit_facts import REFIT
from training.rows.table import Table


@dataclass(frozen=True)
class HeldOutDrops:
    drops: list[Drop]
    """Of each task that both bundles answer and that has rows to compare."""
    gone: set[str]
    """Tasks that only the deployed bundle answers."""
    unknown: set[str]
    """Tasks that both answer, of which no drop is known."""
    note: str
    """What was compared."""


def compare_held_out(table: Table, deployed: Path, candidate: Path) -> HeldOutDrops:
    """On the test split of `table`. Raises BundleError: the candidate's answers cannot be had."""
    old, new = read_bundle(deployed), read_bundle(candidate)
    before = {task.name for task in old.tasks} & {task.name for task in table.tasks}
    after = {task.name for task in new.tasks}
    drops, note = _drops(table, old, new)
    return HeldOutDrops(drops, before - after, before & after - {d.task for d in drops}, note)


def _drops(table: Table, old: Bundle, new: Bundle) -> tuple[list[Drop], str]:
    """The drops, and what was compared."""
    before, after = _record(old), _record(new)
    if before is None and after is None and REFIT not in old.metrics.keys() | new.metrics.keys():
        drops = measured_drops(_asked(table, old), _asked(table, new))
        return drops, "both were asked the test split, which neither was refitted to"
    if after is None:
        after = held_out_record(_asked(table, new), new.identity)
    if before is None:
        note = f"{old.identity} has no record of held-out answers; it is compared by its card"
        return _drops_from_card(table, old, after), note
    pair = judged_record(table, before, after), judged_record(table, after, before)
    return measured_drops(*pair), "recorded answers to rows that both held out"


def _record(bundle: Bundle) -> HeldOut | None:
    """Raises BundleError for a file that is no record."""
    try:
        return read_record(bundle.path, bundle.identity)
    except ValueError as error:
        raise BundleError(bundle.path, str(error)) from None


def _asked(table: Table, bundle: Bundle) -> list[JudgedTask]:
    """Answers of now to the test split; raises BundleError where it was fitted to that."""
    if REFIT in bundle.metrics:
        problem = "was fitted to the test split; the answers that its run held out are missing"
        raise BundleError(bundle.path, f"{problem}: copy them to {record_path(bundle.path)}")
    return judge_bundle(table, bundle.path, "test")


def _drops_from_card(table: Table, old: Bundle, answers: HeldOut) -> list[Drop]:
    """From the figures of `old`'s metrics to those of `answers`; their rows need not be the same,
    so that the interval is that of two samples."""
    claims = old.own_metrics.get("tasks", {})
    drops = []
    for task in judged_record(table, answers, answers):
        claim = claims.get(task.name, {})
        before, after = claim.get(HEADLINE[task.kind]), task.headline
        bounds = task.interval
        if before is None or after is None or bounds is None:
            continue
        spread = _half(bounds)
        claimed = claim.get("interval")  # older cards have none: as uncertain, row by row
        per_row = spread * (len(task.rows) / max(claim["rows"], 1)) ** 0.5
        spread = math.hypot(spread, _half(claimed) if claimed else per_row)
        drop = before - after
        drops.append(
            Drop(
                task=task.name,
                rows=len(task.rows),
                before=before,
                after=after,
                drop=round(drop, 2),
                low=round(drop - spread, 2),
                high=round(drop + spread, 2),
                before_interval=(claimed[0], claimed[1]) if claimed else None,
                after_interval=bounds,
            )
        )
    return drops


def _half(bounds: Sequence[float]) -> float:
    low, high = bounds
    return (high - low) / 2
