"""Open Inference protocol, version 2, as KServe and Triton speak it over HTTP.

https://github.com/kserve/open-inference-protocol has the format. The texts are one BYTES tensor;
each task has a tensor of labels and one of scores. A client of Triton may send the texts as bytes
behind the JSON; what it gets is JSON, which such clients take as well.
"""

from __future__ import annotations

from function.http.contract import PredictRequest, quoted
from function.http.dialects.infer_request import TEXT, TRUNCATED, parse_infer_request
from function.http.errors import RequestError
from function.http.service import Dialect, get_ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from function.http.service import Call, Document
    from model.bundle import Bundle
    from model.classifier import Detailed

VERSION = "0.1.0"
LABELS, SCORES = ".label", ".score"
"""Ends of the names of a task's two outputs."""
DATATYPES = {LABELS: "BYTES", SCORES: "FP32", TRUNCATED: "BOOL"}


def get_server(_call: Call) -> Document:
    """GET /v2."""
    return {"name": "polyhead", "version": VERSION, "extensions": []}


def get_server_ready(call: Call) -> Document:
    """GET /v2/health/ready: loads the bundle, as /ready does."""
    get_ready(call)
    return {"ready": True}


def get_model(call: Call) -> Document:
    """GET /v2/models/NAME."""
    bundle = _bundle(call, call.manifest())
    outputs = [
        {"name": name, "datatype": datatype, "shape": [-1] if name == TRUNCATED else [-1, -1]}
        for name, datatype in output_types(bundle).items()
    ]
    return {
        "name": bundle.name,
        "versions": [bundle.digest],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": TEXT, "datatype": "BYTES", "shape": [-1]}],
        "outputs": outputs,
    }


def get_model_ready(call: Call) -> Document:
    """GET /v2/models/NAME/ready."""
    bundle = _bundle(call, call.manifest())
    get_ready(call)
    return {"name": bundle.name, "ready": True}


def infer(call: Call) -> Document:
    """POST /v2/models/NAME/infer."""
    parsed = parse_infer_request(call)
    bundle = _bundle(call, call.load().bundle)
    known = output_types(bundle)
    names = list(known) if parsed.outputs is None else parsed.outputs
    for index, name in enumerate(names):
        if name not in known:
            message = f"There is no output {quoted(name)!r}; ask for some of: {', '.join(known)}."
            raise RequestError(400, "unknown_task", message, f"outputs[{index}].name")
    tasks = [
        task.name for task in bundle.tasks if {task.name + LABELS, task.name + SCORES} & {*names}
    ]
    tasks = tasks or [bundle.tasks[0].name]  # `truncated` alone was asked for
    min_score = dict.fromkeys(tasks, parsed.min_score)
    detailed = call.predict(PredictRequest(parsed.texts, tuple(tasks), parsed.top_k, min_score))
    document: Document = {
        "model_name": bundle.name,
        "model_version": bundle.digest,
        "outputs": [_tensor(name, known[name], detailed) for name in names],
    }
    if parsed.request_id is not None:
        document["id"] = parsed.request_id
    return document


def _bundle(call: Call, bundle: Bundle) -> Bundle:
    """The bundle, which is the model that the path names; raises RequestError."""
    name, version = call.parts["NAME"], bundle.digest
    if name != bundle.name or call.parts.get("VERSION", version) != version:
        message = f"There is no such model; there is {bundle.name}, version {version}."
        raise RequestError(404, "not_found", message)
    return bundle


def output_types(bundle: Bundle) -> dict[str, str]:
    """The datatype of each output, by name."""
    pairs = [(task.name + end, DATATYPES[end]) for task in bundle.tasks for end in (LABELS, SCORES)]
    return dict([*pairs, (TRUNCATED, DATATYPES[TRUNCATED])])


def _tensor(name: str, datatype: str, detailed: Detailed) -> Document:
    """One output, [texts] or [texts, labels]; what a text has fewer of is "" and 0."""
    count = len(detailed.predictions)
    if name == TRUNCATED:
        cut = set(detailed.truncated)
        flags = [index in cut for index in range(count)]
        return {"name": name, "datatype": datatype, "shape": [count], "data": flags}
    task, _, key = name.rpartition(".")
    rows: Sequence[Any] = [prediction[task] for prediction in detailed.predictions]
    width = max(1, max(map(len, rows)))
    filler = "" if key == "label" else 0.0
    values = [
        row[place][key] if place < len(row) else filler for row in rows for place in range(width)
    ]
    return {"name": name, "datatype": datatype, "shape": [count, width], "data": values}


def write_error(status: int, document: Document) -> tuple[int, Document]:
    """An error as the protocol has it: a string."""
    error: Any = document["error"]
    return status, {"error": error["message"]}


MODEL, MODEL_VERSION = "/v2/models/NAME", "/v2/models/NAME/versions/VERSION"
DIALECT = Dialect(
    {
        "/v2": {"GET": get_server},
        "/v2/health/live": {"GET": lambda _call: {"live": True}},
        "/v2/health/ready": {"GET": get_server_ready},
        **{
            model + end: {method: answer}
            for model in (MODEL, MODEL_VERSION)
            for end, method, answer in (
                ("", "GET", get_model),
                ("/ready", "GET", get_model_ready),
                ("/infer", "POST", infer),
            )
        },
    },
    write_error,
)
