"""The JSON of a request, validated by hand into a PredictRequest."""

from __future__ import annotations

from function.http.errors import RequestError
from model.encoding import is_blank
from model.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FIELDS = ("inputs", "tasks", "top_k", "min_score")
JSON_TYPES = {
    type(None): "null", bool: "a boolean", int: "a number", float: "a number",
    str: "a string", list: "a list", dict: "an object",
}  # fmt: skip
QUOTED_CHARS = 40
"""An answer quotes so much of what was sent: a megabyte is not sent back."""


class PredictRequest(Values):
    """A valid request; whether the bundle knows its tasks is checked by `check_tasks`."""

    def __init__(
        self,
        texts: tuple[str, ...],
        tasks: tuple[str, ...] | None,
        top_k: int,
        min_score: dict[str, float],
    ) -> None:
        self.texts = texts
        self.tasks = tasks
        """Tasks in the order of the answer; None: all."""
        self.top_k = top_k
        self.min_score = min_score
        """By task: labels of a lower score are left out."""


def parse_request(value: Any, max_texts: int, max_chars: int) -> PredictRequest:
    """The request in a JSON value; raises RequestError naming the field."""
    if not isinstance(value, dict):
        kind = JSON_TYPES[type(value)]
        message = f'The body is {kind}; send an object such as {{"inputs": "raw honey"}}.'
        raise RequestError(400, "wrong_type", message)
    for key in value:
        if key not in FIELDS:
            field = _quoted(key)
            message = f"There is no field {field!r}; send {', '.join(FIELDS)} only."
            raise RequestError(400, "unknown_field", message, field)
    if "inputs" not in value:
        message = 'Send "inputs": a string, or a list of strings.'
        raise RequestError(400, "missing_field", message, "inputs")
    return PredictRequest(
        texts=_texts(value["inputs"], max_texts, max_chars),
        tasks=_tasks(value["tasks"]) if "tasks" in value else None,
        top_k=_top_k(value["top_k"]) if "top_k" in value else 1,
        min_score=_min_score(value["min_score"]) if "min_score" in value else {},
    )


def check_tasks(request: PredictRequest, known: Sequence[str]) -> None:
    """Raises RequestError naming the first task of `request` that is not in `known`."""
    fields = [(task, f"tasks[{index}]") for index, task in enumerate(request.tasks or ())]
    fields += [(task, f"min_score.{_quoted(task)}") for task in request.min_score]
    for task, field in fields:
        if task not in known:
            message = f"There is no task {_quoted(task)!r}; ask for some of: {', '.join(known)}."
            raise RequestError(400, "unknown_task", message, field)


def _texts(inputs: Any, max_texts: int, max_chars: int) -> tuple[str, ...]:
    if isinstance(inputs, str):
        return (_text(inputs, "inputs", max_chars),)
    if not isinstance(inputs, list):
        raise _wrong_type("inputs", inputs, "a string, or a list of strings")
    if not inputs:
        raise _wrong("empty", "inputs", "is empty; send at least one text")
    if len(inputs) > max_texts:
        problem = f"holds {len(inputs)} texts; send at most {max_texts} in one request"
        raise _wrong("too_many_texts", "inputs", problem)
    return tuple(_text(text, f"inputs[{index}]", max_chars) for index, text in enumerate(inputs))


def _text(text: Any, field: str, max_chars: int) -> str:
    if not isinstance(text, str):
        raise _wrong_type(field, text, "a string")
    if len(text) > max_chars:
        problem = f"is {len(text)} characters long; send at most {max_chars} per text"
        raise _wrong("text_too_long", field, problem)
    if is_blank(text):
        problem = "is blank; send a text, and leave out those that have none"
        raise _wrong("blank_text", field, problem)
    return text


def _tasks(tasks: Any) -> tuple[str, ...]:
    if not isinstance(tasks, list):
        raise _wrong_type("tasks", tasks, "a list of task names, or leave it out for all")
    if not tasks:
        problem = "is empty; send at least one task name, or leave it out for all"
        raise _wrong("empty", "tasks", problem)
    seen: set[str] = set()  # a body may hold 100,000 of them
    for index, task in enumerate(tasks):
        field = f"tasks[{index}]"
        if not isinstance(task, str):
            raise _wrong_type(field, task, "a task's name")
        if task in seen:
            problem = f"repeats {_quoted(task)!r}; send each task once"
            raise _wrong("duplicate_task", field, problem)
        seen.add(task)
    return tuple(tasks)


def _top_k(top_k: Any) -> int:
    expected = "a whole number of 1 or more"
    # bool is an int to Python, not to whoever wrote true.
    if not isinstance(top_k, int) or isinstance(top_k, bool):
        raise _wrong_type("top_k", top_k, expected)
    if top_k < 1:
        raise _wrong("out_of_range", "top_k", f"is below 1; send {expected}")
    return top_k


def _min_score(scores: Any) -> dict[str, float]:
    if not isinstance(scores, dict):
        raise _wrong_type("min_score", scores, 'an object such as {"task": 0.8}')
    for task, score in scores.items():
        field, expected = f"min_score.{_quoted(task)}", "a number from 0 to 1"
        if not isinstance(score, int | float) or isinstance(score, bool):
            raise _wrong_type(field, score, expected)
        if not 0 <= score <= 1:
            raise _wrong("out_of_range", field, f"is {_quoted(str(score))}; send {expected}")
    return scores


def _quoted(text: str) -> str:
    return text if len(text) <= QUOTED_CHARS else f"{text[:QUOTED_CHARS]}..."


def _wrong_type(field: str, value: Any, expected: str) -> RequestError:
    return _wrong("wrong_type", field, f"is {JSON_TYPES[type(value)]}; send {expected}")


def _wrong(code: str, field: str, problem: str) -> RequestError:
    return RequestError(400, code, f"{field} {problem}.", field)
