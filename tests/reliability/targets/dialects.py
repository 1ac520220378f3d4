"""Requests of other protocols: answered as the docs say, or refused in the protocol's own form."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from function.http.body import parse_json
from function.http.dialects.vertex import STATUSES
from function.http.errors import RequestError
from function.http.service import RequestFacts, Service
from function.settings import Settings
from tests.reliability.mutation import Target
from tests.reliability.targets import contract, protocol_readers
from tests.reliability.targets.refusal import LONGEST
from tests.serving import ROOT

SERVICE = Service(
    Settings(
        ROOT / "tests" / "frozen" / "bundle",
        max_texts=protocol_readers.MAX_TEXTS,
        max_chars=protocol_readers.MAX_CHARS,
    )
)
JSON_LENGTH = "Inference-Header-Content-Length"
REFUSALS = (400, 404, 405, 413)
INFER = "/v2/models/ingredients/infer"
BINARY = b"\x09\x00\x00\x00raw honey\x04\x00\x00\x00lard"


def seed(path: str, value: Any, binary: bytes = b"") -> bytes:
    body = json.dumps(value, ensure_ascii=False).encode()
    length = f" {len(body)}" if binary else ""
    return f"{path}{length}\n".encode() + body + binary


def text_tensor(*texts: str, **more: Any) -> dict[str, Any]:
    shape = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": [*texts]}
    return {"inputs": [{**shape, **more}]}


SEEDS: dict[str, list[Any]] = {
    "bigquery": [
        {"calls": [["salt"], [None], ["lard"], [" "]], "userDefinedContext": {"task": "source"}},
        {"calls": [["tofu"]], "userDefinedContext": {"task": "category", "reply": "score"}},
        {"calls": [["lard"]] * 3, "userDefinedContext": {"reply": "json", "top_k": "2"}},
        {
            "requestId": "1",
            "calls": [["raw honey " * 20]],
            "userDefinedContext": {"task": "source", "reply": "json", "min_score": "0.999"},
        },
    ],
    "vertex": [
        {"instances": ["raw honey", {"text": "crème fraîche"}]},
        {"instances": ["lard"], "parameters": {"tasks": ["source"], "top_k": 2}},
        {"instances": [{"text": "tofu"}], "parameters": {"min_score": {"source": 0.5}}},
    ],
    "tasks/source": [
        {"inputs": "raw honey"},
        {"inputs": ["lard", "tofu"], "parameters": {"top_k": 2, "function_to_apply": "softmax"}},
    ],
    "tasks/category": [
        {"inputs": ["peanut butter"], "parameters": {"top_k": 1, "function_to_apply": "sigmoid"}},
    ],
    INFER[1:]: [
        text_tensor("raw honey", "butter knife"),
        {**text_tensor("lard"), "id": "1", "parameters": {"top_k": 2, "min_score": 0.1}},
        {**text_tensor("a"), "outputs": [{"name": "source.label"}, {"name": "truncated"}]},
    ],
}  # fmt: skip
BEHIND = {
    "inputs": [
        {
            "name": "text",
            "datatype": "BYTES",
            "shape": [2, 1],
            "parameters": {"binary_data_size": len(BINARY)},
        }
    ],
    "outputs": [{"name": "category.score", "parameters": {"binary_data": False}}],
}
WORDS = (
    "calls", "userDefinedContext", "task", "reply", "label", "score", "json", "instances", "text",
    "parameters", "min_score", "function_to_apply", "softmax", "outputs", "source.score", "name",
    "truncated", "shape", "binary_data", "binary_data_size", "data", "0.5", "1", "category",
)  # fmt: skip
TOKENS = (
    *contract.TOKENS, *(f'"{word}"'.encode() for word in WORDS), b'{"name": "truncated"}',
    b"[null]", b'["a"]', b'[["a"]]', b'{"text": "a"}', b"[1]", b"[1, 1]", b'"2\\n"',
    b"/versions/76bc6b687ca8/infer", b"/bigquery", b"/vertex", b"/tasks/source",
    b"\x01\x00\x00\x00a",
)  # fmt: skip


class WholeRequest:
    """A POST that has arrived."""

    method = "POST"

    def __init__(self, path: str, length: str, body: bytes) -> None:
        self.path = path
        self.headers = {JSON_LENGTH: length} if length else {}
        self.content_length = len(body)
        self.stream = BytesIO(body)


def check(data: bytes) -> str:
    """`data`: a path, with the length of the JSON where bytes follow it, a line feed, a body."""
    first, _, body = data.partition(b"\n")
    path, _, length = first.decode("latin-1").partition(" ")
    facts = RequestFacts()
    reply = SERVICE.answer(WholeRequest(path, length, body), facts)
    assert facts.failure is None, facts.stack
    answer = json.loads(reply.body)
    if path == "/":  # another target's
        return f"/ {reply.status}"
    expected = right_answer(path, length, body)
    if expected is not None:
        assert reply.status == 200, answer
        assert answer == json.loads(json.dumps(expected)), expected
        return f"{path.split('/')[1]} 200"
    assert reply.status in REFUSALS
    assert len(reply.body) <= LONGEST, f"{len(reply.body)} bytes of answer"
    return f"{check_error(path, reply.status, answer)} {reply.status}"


def right_answer(path: str, length: str, body: bytes) -> Any:
    """What is to be answered with 200; None: nothing."""
    if length and path.startswith("/v2/"):
        if not (length.isascii() and length.isdecimal() and int(length[:9]) <= len(body)):
            return None
        body, binary = body[: int(length[:9])], body[int(length[:9]) :]
    else:
        binary = b""
    try:
        value = parse_json(body)
    except RequestError:
        return None
    classifier = SERVICE.classifier.get()
    tasks = {f"/tasks/{task.name}": task.name for task in classifier.bundle.tasks}
    if path in tasks:
        return protocol_readers.hugging_face(value, classifier, tasks[path])
    if path in (INFER, f"/v2/models/ingredients/versions/{classifier.bundle.digest}/infer"):
        return protocol_readers.open_inference(value, binary, classifier)
    if path == "/vertex":
        return protocol_readers.vertex(value, classifier)
    return protocol_readers.bigquery(value, classifier) if path == "/bigquery" else None


def check_error(path: str, status: int, answer: Any) -> str:
    """The protocol whose form an error has, which is that of the path's first part."""
    protocol = path[1:].partition("/")[0]
    if protocol == "bigquery":
        assert list(answer) == ["errorMessage"]
        assert len(answer["errorMessage"].encode()) <= 1000
    elif protocol == "v2":
        assert list(answer) == ["error"]
        assert isinstance(answer["error"], str)
    elif protocol == "vertex":
        error = answer["error"]
        assert error.keys() == {"code", "message", "status"}
        assert (error["code"], error["status"]) == (status, STATUSES[status])
    elif protocol == "tasks":
        assert answer.keys() == {"error", "error_type"}
    else:
        assert answer["error"].keys() == {"code", "message", "field"}
        return "other"
    return protocol


TARGET = Target(
    "dialects",
    "function/http/dialects",
    (
        *(seed(f"/{path}", value) for path, values in SEEDS.items() for value in values),
        seed(INFER, BEHIND, BINARY),
    ),
    TOKENS,
    check,
    contract.VALUE,
    30,
)
