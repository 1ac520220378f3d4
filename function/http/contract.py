"""The JSON of a request, validated by hand into a PredictRequest."""

from __future__ import annotations

from function.http.errors import RequestError
from model.encoding import is_blank
from model.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FIELDS = ("inputs", "tasks", "top_k", "min_score", "explain")
MAX_EXPLAINED = 8
"""Texts of a request that wants explanations: each is run again without each of its words."""
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
        explain: bool = False,
    ) -> None:
        self.texts = texts
        self.tasks = tasks
        """Tasks in the order of the answer; None: all."""
        self.top_k = top_k
        self.min_score = min_score
        """By task: labels of a lower score are left out."""
        self.explain = explain
        """Whether the words behind each first label are wanted."""


def parse_request(value: Any, max_texts: int, max_chars: int) -> PredictRequest:
    """The request in a JSON value; raises RequestError naming the field."""
    check_object(value, '{"inputs": "raw honey"}')
    check_fields(value, FIELDS)
    if "inputs" not in value:
        raise missing("inputs", "a string, or a list of strings")
    texts = parse_texts(value["inputs"], max_texts, max_chars)
    return PredictRequest(
        texts=texts,
        tasks=parse_tasks(value["tasks"]) if "tasks" in value else None,
        top_k=parse_top_k(value["top_k"]) if "top_k" in value else 1,
        min_score=parse_min_score(value["min_score"]) if "min_score" in value else {},
        explain=parse_explain(value["explain"], texts) if "explain" in value else False,
    )


def check_object(value: Any, example: str, field: str | None = None) -> None:
    """Raises RequestError unless the body, or the field, is an object."""
    if not isinstance(value, dict):
        problem = f"is {JSON_TYPES[type(value)]}; send an object such as {example}"
        raise RequestError(400, "wrong_type", f"{field or 'The body'} {problem}.", field)


def check_fields(value: dict[str, Any], fields: Sequence[str], within: str = "") -> None:
    """Raises RequestError for the first field that is not among `fields`.

    `within` is the path of the object in the body, with a dot at its end.
    """
    for key in value:
        if key not in fields:
            field = within + quoted(key)
            message = f"There is no field {field!r}; send {', '.join(fields)} only."
            raise RequestError(400, "unknown_field", message, field)


def check_tasks(request: PredictRequest, known: Sequence[str], within: str = "") -> None:
    """Raises RequestError naming the first task of `request` that is not in `known`.

    `within` is the path of the object that names the tasks, with a dot at its end.
    """
    fields = [(task, f"{within}tasks[{index}]") for index, task in enumerate(request.tasks or ())]
    fields += [(task, f"{within}min_score.{quoted(task)}") for task in request.min_score]
    for task, field in fields:
        if task not in known:
            message = f"There is no task {quoted(task)!r}; ask for some of: {', '.join(known)}."
            raise RequestError(400, "unknown_task", message, field)


def parse_texts(
    inputs: Any, max_texts: int, max_chars: int, field: str = "inputs"
) -> tuple[str, ...]:
    """One text or a list of them; raises RequestError."""
    if isinstance(inputs, str):
        return (parse_text(inputs, field, max_chars),)
    if not isinstance(inputs, list):
        raise wrong_type(field, inputs, "a string, or a list of strings")
    check_count(inputs, max_texts, field)
    texts = enumerate(inputs)
    return tuple(parse_text(text, f"{field}[{index}]", max_chars) for index, text in texts)


def check_count(texts: list[Any], max_texts: int, field: str) -> None:
    """Raises RequestError unless there is a text, and no more than so many."""
    if not texts:
        raise wrong("empty", field, "is empty; send at least one text")
    if len(texts) > max_texts:
        problem = f"holds {len(texts)} texts; send at most {max_texts} in one request"
        raise wrong("too_many_texts", field, problem)


def parse_text(text: Any, field: str, max_chars: int) -> str:
    """One text that holds something; raises RequestError."""
    if not isinstance(text, str):
        raise wrong_type(field, text, "a string")
    if len(text) > max_chars:
        problem = f"is {len(text)} characters long; send at most {max_chars} per text"
        raise wrong("text_too_long", field, problem)
    if is_blank(text):
        problem = "is blank; send a text, and leave out those that have none"
        raise wrong("blank_text", field, problem)
    return text


def parse_tasks(tasks: Any, field: str = "tasks") -> tuple[str, ...]:
    """Names of tasks, which the bundle may lack; raises RequestError."""
    if not isinstance(tasks, list):
        raise wrong_type(field, tasks, "a list of task names, or leave it out for all")
    if not tasks:
        problem = "is empty; send at least one task name, or leave it out for all"
        raise wrong("empty", field, problem)
    seen: set[str] = set()  # a body may hold 100,000 of them
    for index, task in enumerate(tasks):
        place = f"{field}[{index}]"
        if not isinstance(task, str):
            raise wrong_type(place, task, "a task's name")
        if task in seen:
            problem = f"repeats {quoted(task)!r}; send each task once"
            raise wrong("duplicate_task", place, problem)
        seen.add(task)
    return tuple(tasks)


def parse_top_k(top_k: Any, field: str = "top_k") -> int:
    """How many labels of each single-label task; raises RequestError."""
    expected = "a whole number of 1 or more"
    if isinstance(top_k, float) and top_k.is_integer():  # 2.0 is a whole number in JSON
        top_k = int(top_k)
    # bool is an int to Python, not to whoever wrote true.
    if not isinstance(top_k, int) or isinstance(top_k, bool):
        raise wrong_type(field, top_k, expected)
    if top_k < 1:
        raise wrong("out_of_range", field, f"is below 1; send {expected}")
    return top_k


def parse_min_score(scores: Any, field: str = "min_score") -> dict[str, float]:
    """The lowest score of a label, by task; raises RequestError."""
    if not isinstance(scores, dict):
        raise wrong_type(field, scores, 'an object such as {"task": 0.8}')
    return {task: parse_score(scores[task], f"{field}.{quoted(task)}") for task in scores}


def parse_score(score: Any, field: str) -> float:
    """A probability; raises RequestError."""
    expected = "a number from 0 to 1"
    if not isinstance(score, int | float) or isinstance(score, bool):
        raise wrong_type(field, score, expected)
    if not 0 <= score <= 1:
        raise wrong("out_of_range", field, f"is {quoted(str(score))}; send {expected}")
    return score


def parse_explain(explain: Any, texts: Sequence[str]) -> bool:
    """Whether explanations are wanted, which few texts may have; raises RequestError."""
    if not isinstance(explain, bool):
        raise wrong_type("explain", explain, "true, or leave it out")
    if explain and len(texts) > MAX_EXPLAINED:
        problem = f"holds {len(texts)} texts; send at most {MAX_EXPLAINED} with explain"
        raise wrong("too_many_texts", "inputs", problem)
    return explain


def quoted(text: str) -> str:
    """As much of what was sent as an answer repeats."""
    return text if len(text) <= QUOTED_CHARS else f"{text[:QUOTED_CHARS]}..."


def missing(field: str, expected: str) -> RequestError:
    """The answer to a request without one of its required fields."""
    name = field.rpartition(".")[2]
    return RequestError(400, "missing_field", f'Send "{name}": {expected}.', field)


def wrong_type(field: str, value: Any, expected: str) -> RequestError:
    """The answer to a value of another type of JSON."""
    return wrong("wrong_type", field, f"is {JSON_TYPES[type(value)]}; send {expected}")


def wrong(code: str, field: str, problem: str) -> RequestError:
    """The answer to a field with a value that cannot be taken."""
    return RequestError(400, code, f"{field} {problem}.", field)
