"""What happens, in which order? The stages of a run, each from files to files.

A stage is the function `run(run: Run, folder: Path)` of its module, which is imported only when
the stage runs: to know the stages needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from training.recipe import PRICES, Recipe


@dataclass(frozen=True)
class Stage:
    name: str
    makes: str
    """What it leaves, in one line."""
    module: str
    """Its `run(run, folder)` writes the stage's files into `folder`."""
    keys: Callable[[Recipe], Any]
    """The part of the recipe that the stage's result depends on."""
    trains: bool = False
    """Under torchrun every process takes part; other stages run in the first process alone."""
    is_wanted: Callable[[Recipe], bool] = lambda recipe: True
    """Whether a run of the recipe has this stage."""


def _set_keys(settings: Any) -> dict[str, Any]:
    """Keys that are set: a new key that is absent by default leaves finished stages valid."""
    return {key: value for key, value in asdict(settings).items() if value is not None}


def _variants(recipe: Recipe) -> dict[str, Any]:
    count = recipe.student.variants
    return {} if count is None else {"variants": count}


def _prices(recipe: Recipe) -> dict[str, Any]:
    """{task: what finding its labels is worth}, of tasks for which the recipe says it."""
    prices = {
        task.name: {key: getattr(task, key) for key in PRICES if getattr(task, key) is not None}
        for task in recipe.tasks
    }
    return {"prices": prices} if any(prices.values()) else {}


STAGES = (
    Stage(
        "vocabulary",
        "tokenizer.json, cut to the training text",
        "training.fit.vocabulary",
        lambda r: {
            "base": r.base,
            **_set_keys(r.vocabulary),
            "max_tokens": r.data.max_tokens,
            "long_texts": r.data.long_texts,
        },
    ),
    Stage(
        "pretrain",
        "the base, fitted to unlabelled text; only where the recipe has [pretrain]",
        "training.fit.pretrain",
        lambda r: {**_set_keys(r.pretrain), "files": ()},  # all stages depend on their content
        trains=True,
        is_wanted=lambda r: r.pretrain is not None,
    ),
    Stage(
        "teacher",
        "the base, fine-tuned on the labels",
        "training.fit.train_teacher",
        lambda r: _set_keys(r.teacher),
        trains=True,
    ),
    Stage(
        "soft",
        "logits of the teacher on all text, combined with the frozen base's and a linear model's",
        "training.distil.soft_targets",
        lambda r: {"committee": r.student.committee, **_variants(r)},
    ),
    Stage(
        "student",
        "some of the teacher's layers, fitted to those logits",
        "training.distil.train_student",
        lambda r: {**_set_keys(r.student), "embedding_bits": r.quantize.embedding_bits},
        trains=True,
    ),
    Stage(
        "export",
        "teacher and student as fp32 bundles, calibrated on validation",
        "training.quantize.export",
        lambda r: {"name": r.name, **_prices(r)},
    ),
    Stage(
        "quantize",
        "the student as an int8 bundle; refused when it lost too much on validation",
        "training.quantize.quantize_student",
        lambda r: _set_keys(r.quantize),
    ),
    Stage(
        "refit",
        "the student, fitted on to all labelled rows; not where [ship] refit is false",
        "training.distil.refit",
        lambda r: {"never_fitted": r.ship.never_fitted},
        trains=True,
        is_wanted=lambda r: r.ship.refit,
    ),
    Stage(
        "verify",
        "the refitted student as an int8 bundle; what it answers to the rows it was fitted to",
        "training.quantize.verify_refit",
        lambda r: {},
        is_wanted=lambda r: r.ship.refit,
    ),
    Stage(
        "evaluate",
        "metrics of all three bundles and of a linear model on the test split",
        "training.judge.evaluate",
        lambda r: {},
    ),
    Stage(
        "advise",
        "rows whose labels are likely wrong, texts to label next, what more rows would bring",
        "training.advice.advise",
        lambda r: {},
    ),
    Stage(
        "bundle",
        "the int8 student with its metrics and model card",
        "training.judge.ship_bundle",
        lambda r: asdict(r.card),
    ),
)
STAGE_NAMES = tuple(stage.name for stage in STAGES)
