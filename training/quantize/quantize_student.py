"""Did int8 cost too much? Compared with fp32 on validation, before a bundle is shipped.

Where it did, the known remedies are tried in order, each on its own, then layer by layer. Where
validation is too small to tell, text without labels is asked, and the bundle ships with a warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from model.aside import write_json
from model.bundle import MODEL
from training.distil.soft_targets import student_rows
from training.fit.schedule import weight_bits
from training.judge.drops import Drop, measured_drops
from training.judge.judged import judge_bundle
from training.quantize.expected_drop import expected_drops
from training.quantize.export import calibrated_bundle
from training.quantize.gptq import moments_on_text
from training.quantize.ranking import rank_layers
from training.quantize.schemes import EMBEDDINGS, quantize_onnx
from training.recipe import Quantize
from training.rows.table import Table
from training.run import FACTS, Run, RunError

UNLABELLED = 2000
"""Texts without labels that are asked, at most."""
FP32_LAYERS = (1, 2, 4)  # of the worst layers, left in fp32 by the last attempts


class QuantizationError(RunError):
    """int8 lost more than the recipe allows; the message names task, drop and layer."""


def run(run: Run, folder: Path) -> None:
    """The stage `quantize`: write the student as an int8 bundle, and what it lost, to `folder`."""
    exact, rows = run.work / "export" / "student", len(run.table.split("train"))
    settings = replace(run.recipe.quantize, weight_bits=weight_bits(run.recipe, rows))
    texts = [row.text for row in run.table.split("validation")]
    ranking = rank_layers(exact, texts, settings)
    refuse_unknown(settings.keep, [entry["layer"] for entry in ranking])
    worst = [entry["layer"] for entry in ranking if entry["layer"] != EMBEDDINGS]
    make = partial(int8_bundle, run, exact, folder / "int8")
    unlabelled = [row.text for row in student_rows(run) if not row.labelled][:UNLABELLED]
    facts = best_attempt(run.table, exact, settings, worst, make, unlabelled)
    write_json(folder / FACTS, {**facts, "ranking": ranking})


def refuse_unknown(keep: Sequence[str], layers: Sequence[str]) -> None:
    """Raise RunError for a layer to keep that is not among `layers`, those that int8 hurts most
    first."""
    for name in keep:
        if name not in layers:
            known = ", ".join(layers)
            raise RunError(f"[quantize] keep: no layer {name!r}; those of this network are {known}")


def int8_bundle(run: Run, exact: Path, target: Path, settings: Quantize) -> Path:
    """The fp32 bundle `exact` as a calibrated int8 bundle in `target`, which is returned."""
    graph = target.with_name(f"{target.name}.onnx")
    quantize_on_text(run, exact / MODEL, graph, settings)
    calibrated_bundle(run, target, graph)
    graph.unlink()
    return target


def quantize_on_text(run: Run, fp32: Path, int8: Path, settings: Quantize) -> None:
    """Write the int8 graph of `fp32` to `int8`, 4-bit weights rounded for the text of the run."""
    is_narrow = settings.scheme == "matmul_nbits" and settings.weight_bits == 4
    quantize_onnx(fp32, int8, settings, moments_on_text(run, fp32) if is_narrow else None)


def attempts(settings: Quantize, worst_layers: Sequence[str]) -> Iterator[Quantize]:
    """The recipe's settings, then the remedies."""
    yield settings
    if settings.embedding_bits < 8 and EMBEDDINGS not in settings.keep:
        settings = replace(settings, embedding_bits=8)
        yield settings
    if settings.scheme == "dynamic":
        if not settings.per_channel:
            settings = replace(settings, per_channel=True)
            yield settings
        yield replace(settings, reduce_range=True)
        yield replace(settings, signed=not settings.signed)
        yield replace(settings, scheme="matmul_nbits")
    elif settings.weight_bits == 4:
        settings = replace(settings, weight_bits=8)
        yield settings
    if settings.scheme == "matmul_nbits" and settings.block_size > 16:
        yield replace(settings, block_size=16)
        yield replace(settings, scheme="dynamic")
    for count in FP32_LAYERS:
        yield replace(settings, keep=(*settings.keep, *worst_layers[:count]))


def best_attempt(
    table: Table,
    exact: Path,
    settings: Quantize,
    worst_layers: Sequence[str],
    make: Callable[[Quantize], Path],
    unlabelled: Sequence[str] = (),
) -> dict[str, Any]:
    """Make int8 bundles until one loses no more than `settings.max_drop` against `exact`.

    Where validation cannot tell, what is to be expected of the texts `unlabelled` does.
    When none does, the one that lost least is made again, unless each lost too much for certain.
    `make` writes the bundle of one attempt and returns where. Returns {"settings", "drops",
    "tried", "unsure", "expected"}: the tasks whose rows are too few to tell, and points by task of
    the texts, where these were asked; raises QuantizationError when all attempts are refused.
    """
    limit = settings.max_drop
    tried: list[str] = []
    undecided: list[tuple[Quantize, list[Drop]]] = []
    before = judge_bundle(table, exact, "validation")
    for attempt in attempts(settings, worst_layers):
        bundle = make(attempt)
        drops = measured_drops(before, judge_bundle(table, bundle, "validation"))
        past = [drop for drop in drops if drop.verdict(limit) != "passes"]
        if not past:
            return _facts(attempt, drops, tried)
        loss = f"{_changes(attempt)}: {', '.join(map(str, past))}"
        if not any(drop.verdict(limit) == "refused" for drop in past):
            undecided.append((attempt, drops))
            expected = expected_drops(exact, bundle, unlabelled)
            if all(expected.get(drop.task, math.inf) <= limit for drop in past):
                points = ", ".join(f"{drop.task} {expected[drop.task]:.2f}" for drop in past)
                print(
                    f"quantize: {loss}, by too few rows to tell; of {len(unlabelled):,} texts "
                    f"without labels expected are {points}",
                    flush=True,
                )
                return _facts(attempt, drops, tried, expected)
        tried.append(loss)
        print(f"quantize: past max_drop = {limit} with {loss}", flush=True)
    if undecided:
        attempt, drops = min(undecided, key=lambda pair: max(drop.drop for drop in pair[1]))
        make(attempt)
        return _facts(attempt, drops, tried)
    raise QuantizationError(
        f"int8 loses more than max_drop = {limit} on validation, whatever was tried:"
        "\n  " + "\n  ".join(tried) + f"\nThe layers it hurts most: {', '.join(worst_layers[:3])}. "
        "Raise [quantize] max_drop, or name more layers in [quantize] keep"
    )


def _facts(
    attempt: Quantize,
    drops: Sequence[Drop],
    tried: Sequence[str],
    expected: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    return {
        "settings": asdict(attempt),
        "drops": {drop.task: asdict(drop) for drop in drops},
        "tried": list(tried),
        "unsure": [drop.task for drop in drops if not drop.is_proven(attempt.max_drop)],
        "expected": dict(expected or {}),
    }


def _changes(settings: Quantize) -> str:
    """What differs from the defaults."""
    defaults = asdict(Quantize(scheme=settings.scheme, max_drop=settings.max_drop, weight_bits=8))
    values = asdict(replace(settings, weight_bits=settings.weight_bits or 8))
    changed = {key: value for key, value in values.items() if defaults[key] != value}
    return ", ".join([settings.scheme, *(f"{key} {value}" for key, value in changed.items())])
