"""The service in OpenAPI 3.1, with the tasks and labels of its bundle.

Paths, fields, limits and names are those that the protocols' modules declare and validate with.
"""

from __future__ import annotations

from function.http import contract
from function.http.dialects import bigquery, hugging_face, infer_request, open_inference, vertex
from function.http.dialects.schemas import Schemas, record, whole_record
from function.http.service import OWN, Dialect
from model.occlusion import STRONGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.dialects.schemas import Schema
    from function.http.service import Call, Document

STRING: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
ANY_OBJECT: Schema = {"type": "object"}


class Operation:
    """What may be sent, and what is answered with 200."""

    def __init__(
        self, summary: str, answer: Schema, body: Schema | None = None, has_page: bool = False
    ) -> None:
        """`has_page`: a browser is answered with HTML."""
        self.summary = summary
        self.answer = answer
        self.body = body
        self.has_page = has_page


def get_openapi(call: Call) -> Document:
    """GET /openapi.json."""
    bundle = call.manifest()
    schemas = Schemas(bundle, call.settings)
    paths: dict[str, dict[str, Document]] = {}
    for dialect, describe_all, error in (
        (OWN, _own, _own_error()),
        (DIALECT, _openapi, _own_error()),
        (bigquery.DIALECT, _bigquery, whole_record({"errorMessage": STRING})),
        (open_inference.DIALECT, _open_inference, whole_record({"error": STRING})),
        (vertex.DIALECT, _vertex, _vertex_error()),
        (hugging_face.DIALECT, _hugging_face, record({"error": STRING, "error_type": STRING})),
    ):
        operations = describe_all(schemas)
        for route, methods in dialect.routes.items():
            for path in _concrete(route, schemas):
                paths[path] = {
                    method.lower(): _operation(operations[method, path], error)
                    for method in methods
                }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Polyhead: {bundle.name}", "version": bundle.digest},
        "paths": paths,
    }


def _concrete(route: str, schemas: Schemas) -> list[str]:
    """The paths that a route stands for, with the names of the bundle in them."""
    bundle = schemas.bundle
    route = route.replace("/NAME", f"/{bundle.name}").replace("/VERSION", f"/{bundle.digest}")
    if "/TASK" not in route:
        return [route]
    return [route.replace("/TASK", f"/{name}") for name in schemas.names]


def _operation(operation: Operation, error: Schema) -> Document:
    wrong = {"description": "What is wrong, and what to send instead", "content": _json(error)}
    failed = {"description": "The server's fault; it may be sent again", "content": _json(error)}
    answer = _json(operation.answer)
    if operation.has_page:
        answer["text/html"] = {"schema": STRING}
    document: Document = {
        "summary": operation.summary,
        "responses": {
            "200": {"description": "The answer", "content": answer},
            "4XX": wrong,
            "5XX": failed,
        },
    }
    if operation.body is not None:
        document["requestBody"] = {"required": True, "content": _json(operation.body)}
    return document


def _json(schema: Schema) -> Document:
    return {"application/json": {"schema": schema}}


def _own_error() -> Schema:
    fields: dict[str, Schema] = {
        "code": STRING, "message": STRING, "field": {"type": ["string", "null"]},
    }  # fmt: skip
    return whole_record({"error": whole_record(fields)})


def _vertex_error() -> Schema:
    statuses = {"enum": sorted({*vertex.STATUSES.values(), vertex.UNKNOWN})}
    fields: dict[str, Schema] = {"code": {"type": "integer"}, "message": STRING, "status": statuses}
    return whole_record({"error": whole_record(fields)})


def _openapi(_schemas: Schemas) -> dict[tuple[str, str], Operation]:
    return {("GET", "/openapi.json"): Operation("This document", ANY_OBJECT)}


def _own(schemas: Schemas) -> dict[tuple[str, str], Operation]:
    answer = _own_answer(schemas)
    many = {**schemas.fields, "explain": {"const": False}}
    many = {name: many[name] for name in contract.FIELDS}
    texts = schemas.batch(schemas.text, at_most=contract.MAX_EXPLAINED)
    few = many | {"inputs": {"anyOf": [schemas.text, texts]}, "explain": {"const": True}}
    body: Schema = {
        "anyOf": [
            record(many, required=("inputs",)),
            record(few, required=("inputs", "explain")),
        ]
    }
    return {
        ("GET", "/"): Operation(
            "Name of the bundle, tasks, labels, limits", ANY_OBJECT, has_page=schemas.settings.page
        ),
        ("POST", "/"): Operation("Labels of texts", answer, body),
        ("GET", "/health"): Operation("It lives; loads nothing", record({"status": STRING})),
        ("GET", "/ready"): Operation(
            "Loads the bundle and answers once it can", record({"status": STRING, "bundle": STRING})
        ),
    }


def _own_answer(schemas: Schemas) -> Schema:
    index = {"type": "integer", "minimum": 0}
    word = {"word": STRING, "start": index, "end": index, "change": {"type": "number"}}
    words = {"type": "array", "items": whole_record(word), "maxItems": STRONGEST}
    explanation = record(dict.fromkeys(schemas.names, words))
    fields: dict[str, Schema] = {
        "predictions": {"type": "array", "items": schemas.prediction},
        "bundle": STRING,
        "truncated": {"type": "array", "items": index},
        "explanations": {"type": "array", "items": explanation},
    }
    return record(fields, ("predictions", "bundle"))


def _bigquery(schemas: Schemas) -> dict[tuple[str, str], Operation]:
    task, score = {"enum": schemas.names}, {"type": "string", "pattern": bigquery.MIN_SCORE}
    is_only = len(schemas.names) == 1
    labels_and_scores = [reply for reply in bigquery.REPLIES if reply != bigquery.JSON]
    fields: dict[str, Schema] = {
        "task": task,
        "min_score": score,
        "top_k": {"type": "string", "pattern": bigquery.TOP_K},
        "reply": {"const": bigquery.JSON},
    }
    as_json = record({key: fields[key] for key in bigquery.KEYS}, ("reply",))
    fields = {**fields, "top_k": {"const": "1"}, "reply": {"enum": labels_and_scores}}
    of_one = record({key: fields[key] for key in bigquery.KEYS}, () if is_only else ("task",))
    row = {"type": "array", "items": {"type": ["string", "null"]}, "minItems": 1, "maxItems": 1}
    body: Schema = {
        "type": "object",
        "properties": {
            "calls": {"type": "array", "items": row, "maxItems": bigquery.MAX_ROWS},
            bigquery.CONTEXT: {"anyOf": [as_json, of_one, *([{"type": "null"}] * is_only)]},
        },
        "required": ["calls", *([] if is_only else [bigquery.CONTEXT])],
    }
    replies = {"type": "array"}
    return {
        ("POST", "/bigquery"): Operation(
            "A reply for each row", whole_record({"replies": replies}), body
        )
    }


def _vertex(schemas: Schemas) -> dict[tuple[str, str], Operation]:
    as_object = whole_record(dict.fromkeys(vertex.INSTANCE, schemas.text))
    fields: dict[str, Schema] = {
        "instances": schemas.batch({"anyOf": [schemas.text, as_object]}),
        "parameters": record({name: schemas.fields[name] for name in vertex.PARAMETERS}),
    }
    body = record({name: fields[name] for name in vertex.FIELDS}, ("instances",))
    answer = whole_record({"predictions": {"type": "array", "items": schemas.prediction}})
    return {("POST", "/vertex"): Operation("Labels of texts, for Vertex AI", answer, body)}


def _hugging_face(schemas: Schemas) -> dict[tuple[str, str], Operation]:
    operations = {}
    for task in schemas.bundle.tasks:
        parameters: dict[str, Schema] = {
            "top_k": schemas.fields["top_k"],
            "function_to_apply": {"const": hugging_face.FUNCTIONS[task.kind]},
        }
        fields: dict[str, Schema] = {
            "inputs": schemas.fields["inputs"],
            "parameters": record({name: parameters[name] for name in hugging_face.PARAMETERS}),
        }
        body = record({name: fields[name] for name in hugging_face.FIELDS}, ("inputs",))
        answer = {"type": "array", "items": schemas.labels(task)}
        operations["POST", f"/tasks/{task.name}"] = Operation(
            f"Labels of texts: {task.name}, for Hugging Face's client", answer, body
        )
    return operations


def _open_inference(schemas: Schemas) -> dict[tuple[str, str], Operation]:
    model, digest = f"/v2/models/{schemas.bundle.name}", schemas.bundle.digest
    live, ready = record({"live": FLAG}), record({"ready": FLAG})
    operations = {
        ("GET", "/v2"): Operation("Name and version of the server", ANY_OBJECT),
        ("GET", "/v2/health/live"): Operation("It lives; loads nothing", live),
        ("GET", "/v2/health/ready"): Operation("Loads the bundle", ready),
    }
    for path in (model, f"{model}/versions/{digest}"):
        operations |= {
            ("GET", path): Operation("Inputs and outputs", ANY_OBJECT),
            ("GET", f"{path}/ready"): Operation("Loads the bundle", ANY_OBJECT),
            ("POST", f"{path}/infer"): Operation(
                "Tensors of labels and scores", ANY_OBJECT, _infer(schemas)
            ),
        }
    return operations


def _infer(schemas: Schemas) -> Schema:
    """The shape must be that of the data, which a schema cannot say."""
    tensor: dict[str, Schema] = {
        "name": {"const": infer_request.TEXT},
        "datatype": {"const": "BYTES"},
        "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
        "data": schemas.batch({"anyOf": [schemas.text, {**schemas.list_of_texts, "maxItems": 1}]}),
        "parameters": record({}),
    }
    output: dict[str, Schema] = {
        "name": {"enum": list(open_inference.output_types(schemas.bundle))},
        "parameters": record({infer_request.BINARY_OUTPUT: FLAG}),
    }
    parameters: dict[str, Schema] = {
        "top_k": schemas.fields["top_k"],
        "min_score": schemas.score,
        infer_request.BINARY_OUTPUTS: FLAG,
    }
    required = tuple(name for name in infer_request.INPUT if name != "parameters")
    one_input = record({name: tensor[name] for name in infer_request.INPUT}, required)
    outputs = record({name: output[name] for name in infer_request.OUTPUT}, ("name",))
    fields: dict[str, Schema] = {
        "id": STRING,
        "inputs": {"type": "array", "items": one_input, "minItems": 1, "maxItems": 1},
        "outputs": {"type": "array", "items": outputs, "minItems": 1},
        "parameters": record({name: parameters[name] for name in infer_request.PARAMETERS}),
    }
    return record({name: fields[name] for name in infer_request.FIELDS}, ("inputs",))


DIALECT = Dialect({"/openapi.json": {"GET": get_openapi}}, OWN.write_error)
