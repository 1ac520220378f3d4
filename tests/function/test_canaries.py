"""Nothing that a client sends is written down: each request carries a word of its own, a canary."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from profiling.server import HOST, START_S
from tests.serving import StrictServer, serving

CUT = -9
"""Where a compressed or a plain body breaks off."""
GZIP = "Content-Encoding: gzip"
TRACE = f"{'a' * 32}-{'b' * 16}"
HEADERS = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type", "Cookie",
    "Ce-Id", "Ce-Source", "Forwarded", "From", "Function-Execution-Id", "If-None-Match", "Origin",
    "Referer", "Traceparent", "Tracestate", "Upgrade", "User-Agent", "X-Api-Key",
    "X-Cloud-Trace-Context", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Goog-Authenticated-User-Email", "X-Goog-Iap-Jwt-Assertion", "X-Real-Ip", "X-Request-Id",
)  # fmt: skip


def canary(name: str) -> str:
    """The canary of a request: letters alone, so that it fits into any part of one."""
    return f"canary{name.replace('-', '')}bird"


def post(body: bytes, *headers: str, target: str = "/") -> bytes:
    head = [f"POST {target} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode() + body


def post_json(value: Any, *headers: str) -> bytes:
    return post(json.dumps(value).encode(), *headers)


def get(target: str, *headers: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    head = [f"{method} {target} {version}", "Host: localhost", *headers, "Connection: close"]
    return "\r\n".join([*head, "", ""]).encode()


def bodies() -> Iterator[tuple[str, bytes]]:
    """(name, request): texts, fields, JSON and gzip, right and wrong."""
    values: dict[str, Any] = {
        "text": {"inputs": "TEXT"},
        "longtext": {"inputs": "TEXT " * 400},
        "toolongtext": {"inputs": "TEXT" * 10_000},
        "manytexts": {"inputs": ["TEXT"] * 300},
        "mixedtexts": {"inputs": ["TEXT", 1]},
        "surrogate": {"inputs": "TEXT\ud800"},
        "objecttext": {"inputs": {"TEXT": "TEXT"}},
        "taskname": {"inputs": "a", "tasks": ["TEXT"]},
        "tasktwice": {"inputs": "a", "tasks": ["TEXT", "TEXT"]},
        "scoretask": {"inputs": "a", "min_score": {"TEXT": 0.5}},
        "scorevalue": {"inputs": "a", "min_score": {"source": "TEXT"}},
        "topk": {"inputs": "a", "top_k": "TEXT"},
        "fieldname": {"inputs": "a", "TEXT": "TEXT"},
        "listbody": ["TEXT"],
        "stringbody": "TEXT",
        "largebody": {"inputs": "TEXT", "more": "x" * 2**21},
    }
    for name, value in values.items():
        yield name, post(json.dumps(value).replace("TEXT", canary(name)).encode())
    texts: dict[str, str] = {
        "plainbody": "TEXT",
        "halfjson": '{"inputs": "TEXT',
        "keytwice": '{"TEXT": 1, "TEXT": 2}',
        "badnumber": '{"inputs": TEXT}',
        "nan": '{"inputs": "TEXT", "top_k": NaN}',
        "deepjson": "[" * 5000 + '"TEXT"' + "]" * 5000,
        "digits": '{"inputs": "TEXT", "top_k": ' + "9" * 5000 + "}",
    }
    for name, text in texts.items():
        yield name, post(text.replace("TEXT", canary(name)).encode())
    yield "notutf8", post(b'{"inputs": "' + canary("notutf8").encode() + b'\xff\xfe"}')
    yield "gzipgarbage", post(canary("gzipgarbage").encode(), GZIP)
    yield "gzipcut", post(stored("gzipcut")[:CUT], GZIP)
    yield "gziptail", post(stored("gziptail") + b"tail", GZIP)
    yield "encoding", post(b"{}", f"Content-Encoding: {canary('encoding')}")


def protocols() -> Iterator[tuple[str, bytes]]:
    """(name, request): paths, texts, fields and names of other protocols, right and wrong."""
    tensor = '{"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["TEXT"]}]'
    for name, path, text in (
        (
            "bigquerytext",
            "/bigquery",
            '{"calls": [["TEXT"]], "userDefinedContext": {"task": "source"}}',
        ),
        (
            "bigquerycaller",
            "/bigquery",
            '{"calls": [["a"]], "sessionUser": "TEXT", "userDefinedContext": {"reply": "json"}}',
        ),
        ("bigqueryrow", "/bigquery", '{"calls": [["TEXT", "TEXT"]]}'),
        ("bigquerytask", "/bigquery", '{"calls": [["a"]], "userDefinedContext": {"task": "TEXT"}}'),
        ("bigquerykey", "/bigquery", '{"calls": [["a"]], "userDefinedContext": {"TEXT": "TEXT"}}'),
        ("vertextext", "/vertex", '{"instances": ["TEXT", {"text": "TEXT"}]}'),
        ("vertexfield", "/vertex", '{"instances": [{"text": "a", "TEXT": 1}]}'),
        ("vertextask", "/vertex", '{"instances": ["a"], "parameters": {"tasks": ["TEXT"]}}'),
        ("vertexpath", "/vertex/TEXT", "{}"),
        ("tasktext", "/tasks/source", '{"inputs": "TEXT"}'),
        ("taskpath", "/tasks/TEXT", '{"inputs": "a"}'),
        (
            "taskfunction",
            "/tasks/source",
            '{"inputs": "a", "parameters": {"function_to_apply": "TEXT"}}',
        ),
        ("infertext", "/v2/models/ingredients/infer", f"{tensor}}}"),
        ("inferid", "/v2/models/ingredients/infer", f'{tensor}, "id": "TEXT"}}'),
        (
            "inferoutput",
            "/v2/models/ingredients/infer",
            f'{tensor}, "outputs": [{{"name": "TEXT"}}]}}',
        ),
        ("infermodel", "/v2/models/TEXT/infer", f"{tensor}}}"),
        ("inferversion", "/v2/models/ingredients/versions/TEXT/infer", f"{tensor}}}"),
    ):
        body, target = (part.replace("TEXT", canary(name)) for part in (text, path))
        yield name, post(body.encode(), target=target)


def stored(name: str) -> bytes:
    """A text as gzip that is not deflated, so that its canary stands in the bytes."""
    return gzip.compress(json.dumps({"inputs": canary(name)}).encode(), 0)


def broken_off() -> Iterator[tuple[str, bytes]]:
    """(name, request): bodies and heads that end early, chunks against their rules."""
    yield "cutbody", post_json({"inputs": f"{canary('cutbody')} and more"})[:CUT]
    yield "cuthead", get(f"/{canary('cuthead')}")[:-4]
    yield "cutline", f"GET /{canary('cutline')}".encode()
    chunked = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    for name, body in {
        "chunksize": "TEXT\r\nab\r\n0\r\n\r\n",
        "chunkextension": "2;TEXT=TEXT\r\n{}\r\n0\r\n\r\n",
        "chunkdata": "2\r\nTEXT\r\n0\r\n\r\n",
        "chunkcut": "fff\r\nTEXT",
        "trailer": "2\r\n{}\r\n0\r\nTEXT: TEXT\r\n\r\n",
    }.items():
        yield name, f"{chunked}\r\n{body.replace('TEXT', canary(name))}".encode()
    yield "coding", f"{chunked[:-9]}{canary('coding')}\r\n\r\n".encode()
    yield "length", get("/", f"Content-Length: {canary('length')}", method="POST")


def heads() -> Iterator[tuple[str, bytes]]:
    """(name, request): paths, queries, methods, versions and headers, right and wrong."""
    for name, target in {
        "path": "/TEXT",
        "deeppath": "//TEXT/../TEXT",
        "encodedpath": "/%2e%2e/TEXT%00",
        "query": "/?TEXT=TEXT",
        "healthquery": "/health?TEXT",
        "faviconquery": "/favicon.ico?TEXT",
        "absolute": "http://TEXT/TEXT",
        "fragment": "/#TEXT",
        "noslash": "TEXT",
        "longpath": "/TEXT" + "x" * 70_000,
    }.items():
        yield name, get(target.replace("TEXT", canary(name)))
    yield "method", get("/", method=canary("method").upper())
    yield "lowermethod", get("/", method=canary("lowermethod"))
    yield "version", get("/", version=f"HTTP/{canary('version')}")
    yield "words", get(f"/ {canary('words')}")
    yield "preface", f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{canary('preface')}".encode()
    yield "nothttp", f"{canary('nothttp')}\r\n\r\n".encode()
    yield "nul", f"GET / HTTP/1.1\r\nHost: a\r\nX: \x00{canary('nul')}\r\n\r\n".encode()
    yield "nocolon", get("/", canary("nocolon"))
    yield "headername", get("/", f"{canary('headername')}: 1")
    yield "badheadername", get("/", f"{canary('badheadername')}[]: 1")
    yield "folded", get("/", f"X-A: 1\r\n {canary('folded')}")
    yield "host", f"GET /nowhere HTTP/1.1\r\nHost: {canary('host')}\r\n\r\n".encode()
    yield "expect", get("/", f"Expect: {canary('expect')}")
    yield "longheader", get("/", f"X-Long: {canary('longheader')}{'x' * 70_000}")
    yield "manyheaders", get("/", *[f"X-{canary('manyheaders')}-{n}: 1" for n in range(300)])
    for header in HEADERS:
        yield header, post_json({"inputs": "raw honey"}, f"{header}: {canary(header)}")
    rest = f"traceparent: 01-{TRACE}-01-{canary('tracerest')}"
    yield "tracerest", post_json({"inputs": "raw honey"}, rest)
    options = f"X-Cloud-Trace-Context: {'a' * 32}/1;o=1;{canary('traceoptions')}"
    yield "traceoptions", post_json({"inputs": "raw honey"}, options)


REQUESTS = dict([*bodies(), *protocols(), *broken_off(), *heads()])


@pytest.fixture(
    scope="module",
    params=[("image", ""), ("source", ""), ("source", "true")],
    ids=["image", "source", "source with execution ids"],
)
def watched(
    request: pytest.FixtureRequest, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StrictServer]:
    """Writes all that it can: a project, so that traces are logged, and functions-framework's ids.

    Google sets LOG_EXECUTION_ID in some deployments from source.
    """
    way, execution_ids = request.param
    settings = {"GOOGLE_CLOUD_PROJECT": "testing", "LOG_EXECUTION_ID": execution_ids}
    log = tmp_path_factory.mktemp("watched") / "log"
    with serving(bundle_path, log, way, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def responses(watched: StrictServer) -> dict[str, bytes]:
    """All that came back for each request; then the server ended, so that nothing is unwritten."""
    answers = {name: exchange(watched.port, request) for name, request in REQUESTS.items()}
    assert watched.ask({"inputs": "raw honey"}).status == 200
    watched.process.terminate()
    watched.process.wait(30)
    return answers


def exchange(port: int, request: bytes) -> bytes:
    """What comes back until the server closes; it may reset a connection that it did not read."""
    received = b""
    with socket.create_connection((HOST, port), timeout=START_S) as wire:
        try:
            wire.sendall(request)
            wire.shutdown(socket.SHUT_WR)
            while block := wire.recv(65536):
                received += block
        except TimeoutError:
            raise
        except OSError:  # reset, or no longer connected
            pass
    return received


def test_each_request_carries_its_canary_and_no_other() -> None:
    for name in REQUESTS:
        assert [other for other, request in REQUESTS.items() if holds(request, name)] == [name]


def holds(content: bytes, name: str) -> bool:
    return canary(name).lower().encode() in content.lower()


def test_no_canary_is_in_the_log(watched: StrictServer, responses: dict[str, bytes]) -> None:
    written = watched.log.read_bytes()
    assert written.count(b'"severity"') > len(REQUESTS) / 2
    assert [name for name in REQUESTS if holds(written, name)] == []


def test_no_canary_is_in_a_responses_head(responses: dict[str, bytes]) -> None:
    assert all(answer.startswith(b"HTTP/1.") for answer in responses.values() if answer)
    leaking = [
        name for name, answer in responses.items() if holds(answer.partition(b"\r\n\r\n")[0], name)
    ]
    assert leaking == []


def test_right_requests_of_each_protocol_are_answered(responses: dict[str, bytes]) -> None:
    for name in (
        "bigquerytext",
        "bigquerycaller",
        "vertextext",
        "tasktext",
        "infertext",
        "inferid",
    ):
        assert responses[name].startswith(b"HTTP/1.1 200"), responses[name]
