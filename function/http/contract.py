"""The JSON of a request, validated by hand into a PredictRequest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from function.http.errors import RequestError

FIELDS = ("inputs", "tasks", "top_k", "min_score")


@dataclass(frozen=True)
class RequestLimits:
    """How much one request may hold."""

    max_texts: int
    max_chars: int


@dataclass(frozen=True)
class PredictRequest:
    """A valid request; whether the bundle knows its tasks is checked by `check_tasks`."""

    texts: tuple[str, ...]
    tasks: tuple[str, ...] | None
    """Tasks in the order of the answer; None: all."""
    top_k: int
    min_score: dict[str, float]
    """By task: labels of a lower score are left out."""


def parse_request(value: Any, limits: RequestLimits) -> PredictRequest:
    """The request in a JSON value; raises RequestError naming the field."""
    if not isinstance(value, dict):
        message = f'The body is {_kind(value)}; send an object such as {{"inputs": "raw honey"}}.'
        raise RequestError(400, "wrong_type", message)
    for key in value:
        if key not in FIELDS:
            message = f"There is no field {key!r}; send {', '.join(FIELDS)} only."
            raise RequestError(400, "unknown_field", message, key)
    if "inputs" not in value:
        message = 'Send "inputs": a string, or a list of strings.'
        raise RequestError(400, "missing_field", message, "inputs")
    return PredictRequest(
        texts=_texts(value["inputs"], limits),
        tasks=_tasks(value["tasks"]) if "tasks" in value else None,
        top_k=_top_k(value["top_k"]) if "top_k" in value else 1,
        min_score=_min_score(value["min_score"]) if "min_score" in value else {},
    )


def check_tasks(request: PredictRequest, known: Sequence[str]) -> None:
    """Raises RequestError naming the first task of `request` that is not in `known`."""
    named = [(task, f"tasks[{index}]") for index, task in enumerate(request.tasks or ())]
    for task, where in (*named, *((task, f"min_score.{task}") for task in request.min_score)):
        if task not in known:
            message = f"There is no task {task!r}; ask for some of: {', '.join(known)}."
            raise RequestError(400, "unknown_task", message, where)


def _texts(inputs: Any, limits: RequestLimits) -> tuple[str, ...]:
    if isinstance(inputs, str):
        return (_text(inputs, "inputs", limits),)
    if not isinstance(inputs, list):
        message = f"inputs is {_kind(inputs)}; send a string, or a list of strings."
        raise RequestError(400, "wrong_type", message, "inputs")
    if not inputs:
        raise RequestError(400, "empty", "inputs is empty; send at least one text.", "inputs")
    if len(inputs) > limits.max_texts:
        message = (
            f"inputs holds {len(inputs)} texts; send at most {limits.max_texts} in one request."
        )
        raise RequestError(400, "too_many_texts", message, "inputs")
    return tuple(_text(text, f"inputs[{index}]", limits) for index, text in enumerate(inputs))


def _text(text: Any, where: str, limits: RequestLimits) -> str:
    if not isinstance(text, str):
        message = f"{where} is {_kind(text)}; send a string."
        raise RequestError(400, "wrong_type", message, where)
    if len(text) > limits.max_chars:
        message = (
            f"{where} is {len(text)} characters long; send at most {limits.max_chars} per text."
        )
        raise RequestError(400, "text_too_long", message, where)
    if not text.strip():
        message = f"{where} is blank; send a text, and leave out those that have none."
        raise RequestError(400, "blank_text", message, where)
    return text


def _tasks(tasks: Any) -> tuple[str, ...]:
    if not isinstance(tasks, list):
        message = f"tasks is {_kind(tasks)}; send a list of task names, or leave it out for all."
        raise RequestError(400, "wrong_type", message, "tasks")
    if not tasks:
        message = "tasks is empty; send at least one task name, or leave it out for all."
        raise RequestError(400, "empty", message, "tasks")
    seen = set()
    for index, task in enumerate(tasks):
        where = f"tasks[{index}]"
        if not isinstance(task, str):
            message = f"{where} is {_kind(task)}; send a task's name."
            raise RequestError(400, "wrong_type", message, where)
        if task in seen:
            message = f"{where} repeats {task!r}; send each task once."
            raise RequestError(400, "duplicate_task", message, where)
        seen.add(task)
    return tuple(tasks)


def _top_k(top_k: Any) -> int:
    # bool is an int to Python, not to whoever wrote true.
    if not isinstance(top_k, int) or isinstance(top_k, bool):
        message = f"top_k is {_kind(top_k)}; send a whole number of 1 or more."
        raise RequestError(400, "wrong_type", message, "top_k")
    if top_k < 1:
        message = "top_k is below 1; send a whole number of 1 or more."
        raise RequestError(400, "out_of_range", message, "top_k")
    return top_k


def _min_score(scores: Any) -> dict[str, float]:
    if not isinstance(scores, dict):
        message = f'min_score is {_kind(scores)}; send an object such as {{"task": 0.8}}.'
        raise RequestError(400, "wrong_type", message, "min_score")
    for task, score in scores.items():
        where = f"min_score.{task}"
        if not isinstance(score, int | float) or isinstance(score, bool):
            message = f"{where} is {_kind(score)}; send a number from 0 to 1."
            raise RequestError(400, "wrong_type", message, where)
        if not 0 <= score <= 1:
            message = f"{where} is {score}; send a number from 0 to 1."
            raise RequestError(400, "out_of_range", message, where)
    return scores


def _kind(value: Any) -> str:
    """The JSON type of a value, with its article."""
    kinds = {
        type(None): "null",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return kinds[type(value)]
