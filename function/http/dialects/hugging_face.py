"""Text classification as Hugging Face's inference API has it, a path for each task.

https://huggingface.co/docs/inference-providers/tasks/text-classification has the format.
"""

from __future__ import annotations

from function.http.contract import (
    PredictRequest,
    check_fields,
    check_object,
    missing,
    parse_texts,
    parse_top_k,
    quoted,
    wrong,
    wrong_type,
)  # fmt: skip
from function.http.errors import RequestError
from function.http.service import Dialect
from profiling.timer import timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from function.http.service import Call, Document
    from model.answers import Label
    from model.bundle import Task

FIELDS = ("inputs", "parameters")
PARAMETERS = ("top_k", "function_to_apply")
WITHIN = "parameters."
FUNCTIONS = {"single": "softmax", "multi": "sigmoid"}
"""What makes scores of logits, by the kind of a task: labels are calibrated for it alone."""


def answer_task(call: Call) -> list[list[Label]]:
    """POST /tasks/TASK: for each text its labels, the likeliest first."""
    task = _task(call)
    parsed = _parse(call, task)
    predictions = call.predict(parsed).predictions
    return [prediction[task.name][: parsed.top_k] for prediction in predictions]


def _task(call: Call) -> Task:
    name, tasks = call.parts["TASK"], call.load().bundle.tasks
    for task in tasks:
        if task.name == name:
            return task
    listed = ", ".join(f"/tasks/{task.name}" for task in tasks)
    message = f"There is no task {quoted(name)!r}; send POST {listed}."
    raise RequestError(404, "unknown_task", message)


@timer.span("parse")
def _parse(call: Call, task: Task) -> PredictRequest:
    body, settings = call.read_json(), call.settings
    check_object(body, '{"inputs": "raw honey"}')
    check_fields(body, FIELDS)
    if "inputs" not in body:
        raise missing("inputs", "a string, or a list of strings")
    parameters = body.get("parameters", {})
    check_object(parameters, '{"top_k": 2}', field="parameters")
    check_fields(parameters, PARAMETERS, WITHIN)
    if "function_to_apply" in parameters:
        _check_function(parameters["function_to_apply"], task)
    return PredictRequest(
        texts=parse_texts(body["inputs"], settings.max_texts, settings.max_chars),
        tasks=(task.name,),
        top_k=parse_top_k(parameters.get("top_k", len(task.labels)), f"{WITHIN}top_k"),
        min_score={},
    )


def _check_function(name: Any, task: Task) -> None:
    field, expected = f"{WITHIN}function_to_apply", FUNCTIONS[task.kind]
    if not isinstance(name, str):
        raise wrong_type(field, name, f"{expected!r}")
    if name != expected:
        problem = f"is {quoted(name)!r}; {task.name} has {expected!r}, so send that or leave it out"
        raise wrong("out_of_range", field, problem)


def write_error(status: int, document: Document) -> tuple[int, Document]:
    """An error as the inference API has it."""
    error: Any = document["error"]
    return status, {"error": error["message"], "error_type": error["code"]}


DIALECT = Dialect({"/tasks/TASK": {"POST": answer_task}}, write_error)
