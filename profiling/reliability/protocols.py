"""How each protocol asks for the labels of texts, and where its answer has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.bundle import Bundle

Labels = tuple[tuple[str | None, ...], ...]
"""For each text the likeliest label of each task that is compared; None where there is none."""


@dataclass(frozen=True)
class Protocol:
    """One way to ask."""

    path: str
    asks_all: bool
    """Whether it asks for all tasks."""
    compared: tuple[str, ...]
    """Tasks whose labels are compared; those that are asked for, where these are not all."""
    body: Callable[[list[str]], Any]
    """The JSON that asks for these texts."""
    labels: Callable[[Any], Labels]
    """Reads them from the JSON of an answer."""


def protocols(bundle: Bundle) -> dict[str, Protocol]:
    """By name. Single-label tasks are compared; of a bundle without any, the first task."""
    single = tuple(task.name for task in bundle.tasks if task.kind == "single")
    compared = single or (bundle.tasks[0].name,)
    task = compared[0]
    return {
        "own": Protocol(
            "/",
            True,
            compared,
            lambda texts: {"inputs": texts if len(texts) > 1 else texts[0]},
            lambda answer: first_labels(answer["predictions"], compared),
        ),
        "bigquery": Protocol(
            "/bigquery",
            False,
            (task,),
            lambda texts: {"userDefinedContext": {"task": task}, "calls": [[it] for it in texts]},
            lambda answer: tuple((reply,) for reply in answer["replies"]),
        ),
        "open inference": Protocol(
            f"/v2/models/{bundle.name}/infer",
            True,
            compared,
            _tensor,
            lambda answer: _labels_of_tensors(answer["outputs"], compared),
        ),
        "vertex": Protocol(
            "/vertex",
            True,
            compared,
            lambda texts: {"instances": texts},
            lambda answer: first_labels(answer["predictions"], compared),
        ),
        "hugging face": Protocol(
            f"/tasks/{task}",
            False,
            (task,),
            lambda texts: {"inputs": texts},
            lambda answer: tuple((_first(labels),) for labels in answer),
        ),
    }


def first_labels(predictions: Sequence[Mapping[str, Any]], tasks: Sequence[str]) -> Labels:
    """Of predictions as a classifier gives them."""
    return tuple(tuple(_first(row[name]) for name in tasks) for row in predictions)


def _first(labels: Sequence[Mapping[str, Any]]) -> str | None:
    return labels[0]["label"] if labels else None


def _tensor(texts: list[str]) -> Any:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": texts}
    return {"inputs": [tensor]}


def _labels_of_tensors(outputs: list[dict[str, Any]], tasks: Sequence[str]) -> Labels:
    """The first column of each task's labels, in which "" stands for none."""
    columns = {
        output["name"]: [label or None for label in output["data"][:: output["shape"][1]]]
        for output in outputs
        if output["name"].endswith(".label")
    }
    return tuple(zip(*(columns[f"{name}.label"] for name in tasks), strict=True))
