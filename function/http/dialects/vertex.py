"""Vertex AI's requests to a custom container.

https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements has the format.
"""

from __future__ import annotations

from function.http.contract import (
    PredictRequest,
    check_count,
    check_fields,
    check_object,
    missing,
    parse_min_score,
    parse_tasks,
    parse_text,
    parse_top_k,
    wrong_type,
)  # fmt: skip
from function.http.service import Dialect
from profiling.timer import timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from function.http.service import Call, Document

FIELDS = ("instances", "parameters")
INSTANCE = ("text",)
PARAMETERS = ("tasks", "top_k", "min_score")
WITHIN = "parameters."
STATUSES = {
    400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 405: "UNIMPLEMENTED", 413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip
UNKNOWN = "UNKNOWN"
"""Google's names of errors, https://cloud.google.com/apis/design/errors."""


def answer_instances(call: Call) -> Document:
    """POST /vertex."""
    return {"predictions": call.predict(_parse(call), WITHIN).predictions}


@timer.span("parse")
def _parse(call: Call) -> PredictRequest:
    body, settings = call.read_json(), call.settings
    check_object(body, '{"instances": ["raw honey"]}')
    check_fields(body, FIELDS)
    if "instances" not in body:
        raise missing(field="instances", expected="a list of texts")
    parameters = body.get("parameters", {})
    check_object(parameters, '{"top_k": 2}', field="parameters")
    check_fields(parameters, PARAMETERS, WITHIN)
    return PredictRequest(
        texts=_texts(body["instances"], settings.max_texts, settings.max_chars),
        tasks=parse_tasks(parameters["tasks"], f"{WITHIN}tasks") if "tasks" in parameters else None,
        top_k=parse_top_k(parameters.get("top_k", 1), f"{WITHIN}top_k"),
        min_score=parse_min_score(parameters.get("min_score", {}), f"{WITHIN}min_score"),
    )


def _texts(instances: Any, max_texts: int, max_chars: int) -> tuple[str, ...]:
    if not isinstance(instances, list):
        raise wrong_type("instances", instances, expected="a list of texts")
    check_count(instances, max_texts, field="instances")
    return tuple(
        _text(instance, f"instances[{index}]", max_chars)
        for index, instance in enumerate(instances)
    )


def _text(instance: Any, field: str, max_chars: int) -> str:
    """Of an instance that is a string, or an object with `text`."""
    if not isinstance(instance, dict):
        return parse_text(instance, field, max_chars)
    check_fields(instance, INSTANCE, f"{field}.")
    if "text" not in instance:
        raise missing(field=f"{field}.text", expected="a string")
    return parse_text(instance["text"], f"{field}.text", max_chars)


def write_error(status: int, document: Document) -> tuple[int, Document]:
    """An error as Google's services have it."""
    error: Any = document["error"]
    name = STATUSES.get(status, UNKNOWN)
    return status, {"error": {"code": status, "message": error["message"], "status": name}}


DIALECT = Dialect({"/vertex": {"POST": answer_instances}}, write_error)
