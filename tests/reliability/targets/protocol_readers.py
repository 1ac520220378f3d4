"""Requests of other protocols, read as docs/protocols.md and docs/bigquery.md have them.

Each reader takes the JSON of a request and returns what is to be answered with 200; None: nothing.
"""

from __future__ import annotations

import re
from typing import Any

from model.classifier import Classifier, Detailed
from model.encoding import is_blank

MAX_TEXTS, MAX_CHARS = 4, 60
DATATYPES = {"label": "BYTES", "score": "FP32"}


def vertex(value: Any, classifier: Classifier) -> Any:
    if not has_only(value, "instances", "parameters") or "instances" not in value:
        return None
    texts = [
        instance["text"] if has_only(instance, "text") and instance else instance
        for instance in listed(value["instances"])
    ]
    parameters = value.get("parameters", {})
    if not are_texts(texts) or not has_only(parameters, "tasks", "top_k", "min_score"):
        return None
    known = [task.name for task in classifier.bundle.tasks]
    tasks, scores = parameters.get("tasks", known), parameters.get("min_score", {})
    if not are_distinct(tasks, known) or not has_only(scores, *known):
        return None
    top_k = parameters.get("top_k", 1)
    if not is_count(top_k) or not all(map(is_score, scores.values())):
        return None
    return {"predictions": classifier.predict(texts, tasks, int(top_k), scores)}


def hugging_face(value: Any, classifier: Classifier, task_name: str) -> Any:
    (task,) = (task for task in classifier.bundle.tasks if task.name == task_name)
    if not has_only(value, "inputs", "parameters") or "inputs" not in value:
        return None
    texts = [value["inputs"]] if isinstance(value["inputs"], str) else value["inputs"]
    parameters = value.get("parameters", {})
    if not are_texts(texts) or not has_only(parameters, "top_k", "function_to_apply"):
        return None
    function = {"single": "softmax", "multi": "sigmoid"}[task.kind]
    top_k = parameters.get("top_k", len(task.labels))
    if not is_count(top_k) or parameters.get("function_to_apply", function) != function:
        return None
    predictions = classifier.predict(texts, [task_name], int(top_k))
    return [row[task_name][: int(top_k)] for row in predictions]


def bigquery(value: Any, classifier: Classifier) -> Any:
    if not isinstance(value, dict) or not isinstance(value.get("calls"), list):
        return None
    rows = value["calls"]
    if not all(isinstance(row, list) and len(row) == 1 for row in rows):
        return None
    if not all(isinstance(text, str | None) for (text,) in rows):
        return None
    context = value.get("userDefinedContext")
    context = {} if context is None else context
    if not has_only(context, "task", "top_k", "min_score", "reply"):
        return None
    if not all(isinstance(item, str) for item in context.values()):
        return None
    task, reply = context.get("task"), context.get("reply", "label")
    top_k, min_score = context.get("top_k", "1"), context.get("min_score", "0")
    known = [declared.name for declared in classifier.bundle.tasks]
    if (
        reply not in ("label", "score", "json")
        or not re.fullmatch("[1-9][0-9]{0,8}", top_k)
        or not re.fullmatch(r"0(\.[0-9]{1,17})?|1(\.0{1,17})?", min_score)
        or (top_k != "1" and reply != "json")
        or (task not in known and not (task is None and reply == "json"))
    ):
        return None
    texts = [None if is_blank((text or "")[:MAX_CHARS]) else text[:MAX_CHARS] for (text,) in rows]
    unique = list(dict.fromkeys(text for text in texts if text is not None))
    tasks = known if task is None else [task]
    scores = dict.fromkeys(tasks, float(min_score))
    replies: dict[str | None, Any] = {None: None}
    predictions: list[Any] = classifier.predict(unique, tasks, int(top_k), scores)
    for text, prediction in zip(unique, predictions, strict=True):
        if reply == "json":
            replies[text] = prediction if task is None else prediction[task]
        else:
            replies[text] = next((label[reply] for label in prediction[tasks[0]]), None)
    return {"replies": [replies[text] for text in texts]}


def open_inference(value: Any, binary: bytes, classifier: Classifier) -> Any:
    if not has_only(value, "id", "inputs", "outputs", "parameters"):
        return None
    parameters = value.get("parameters", {})
    if not has_only(parameters, "top_k", "min_score", "binary_data_output"):
        return None
    top_k, min_score = parameters.get("top_k", 1), parameters.get("min_score", 0)
    if not is_count(top_k) or not is_score(min_score):
        return None
    if type(parameters.get("binary_data_output", True)) is not bool:
        return None
    texts = tensor_texts(value.get("inputs"), binary)
    if not isinstance(value.get("id"), str | None) or not are_texts(texts):
        return None
    known = [f"{task.name}.{end}" for task in classifier.bundle.tasks for end in DATATYPES]
    names = [*known, "truncated"]
    if "outputs" in value:
        names = output_names(value["outputs"])
        if not are_distinct(names, [*known, "truncated"]):
            return None
    tasks = [task.name for task in classifier.bundle.tasks]
    tasks = [name for name in tasks if f"{name}.label" in names or f"{name}.score" in names]
    tasks = tasks or [classifier.bundle.tasks[0].name]
    scores = dict.fromkeys(tasks, min_score)
    detailed = classifier.predict_detailed(texts, tasks, int(top_k), scores)
    identity = {} if value.get("id") is None else {"id": value["id"]}
    return {
        "model_name": classifier.bundle.name,
        "model_version": classifier.bundle.digest,
        "outputs": [tensor(name, detailed) for name in names],
        **identity,
    }


def tensor_texts(inputs: Any, binary: bytes) -> Any:
    """What the one input holds; None: it is not one."""
    if not isinstance(inputs, list) or len(inputs) != 1:
        return None
    (given,) = inputs
    if not has_only(given, "name", "datatype", "shape", "data", "parameters"):
        return None
    if (given.get("name"), given.get("datatype")) != ("text", "BYTES"):
        return None
    parameters = given.get("parameters", {})
    if not has_only(parameters, "binary_data_size"):
        return None
    texts = elements(binary) if parameters else given.get("data")
    if not isinstance(texts, list):
        return None
    texts = [text[0] if isinstance(text, list) and len(text) == 1 else text for text in texts]
    shape = given.get("shape")
    if not isinstance(shape, list) or any(type(size) is bool for size in shape):
        return None
    return texts if shape in ([len(texts)], [len(texts), 1]) else None


def elements(binary: bytes) -> list[str] | None:
    texts = []
    while binary:
        size = int.from_bytes(binary[:4], "little")
        text, rest = binary[4 : 4 + size], binary[4 + size :]
        if len(binary) < 4 + size:
            return None
        try:
            texts.append(text.decode())
        except UnicodeDecodeError:
            return None
        binary = rest
    return texts


def output_names(outputs: Any) -> Any:
    names = []
    for output in listed(outputs):
        if not has_only(output, "name", "parameters") or not isinstance(output.get("name"), str):
            return None
        parameters = output.get("parameters", {})
        if not has_only(parameters, "binary_data"):
            return None
        if not all(type(flag) is bool for flag in parameters.values()):
            return None
        names.append(output["name"])
    return names


def tensor(name: str, detailed: Detailed) -> Any:
    count = len(detailed.predictions)
    if name == "truncated":
        flags = [index in detailed.truncated for index in range(count)]
        return {"name": name, "datatype": "BOOL", "shape": [count], "data": flags}
    task, _, end = name.rpartition(".")
    predictions: list[dict[str, Any]] = list(detailed.predictions)
    rows = [[label[end] for label in row[task]] for row in predictions]
    width = max([1, *map(len, rows)])
    filler: list[Any] = [{"label": "", "score": 0.0}[end]]
    cells = [cell for row in rows for cell in row + filler * (width - len(row))]
    return {"name": name, "datatype": DATATYPES[end], "shape": [count, width], "data": cells}


def has_only(value: Any, *keys: str) -> bool:
    return isinstance(value, dict) and value.keys() <= set(keys)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def are_texts(values: Any) -> bool:
    return (
        isinstance(values, list)
        and 0 < len(values) <= MAX_TEXTS
        and all(isinstance(text, str) for text in values)
        and all(len(text) <= MAX_CHARS and not is_blank(text) for text in values)
    )


def are_distinct(names: Any, known: list[str]) -> bool:
    return (
        isinstance(names, list)
        and names != []
        and all(isinstance(name, str) and name in known for name in names)
        and len(set(names)) == len(names)
    )


def is_count(value: Any) -> bool:
    return type(value) in (int, float) and value % 1 == 0 and value >= 1


def is_score(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1
