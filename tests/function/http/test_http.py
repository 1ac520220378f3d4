"""The contract over HTTP, against the real server."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.classifier import Classifier
from tests.function.http.test_contract import WRONG
from tests.serving import Answer, Server, serving

MIB = 2**20
SECRET = "Zanzibarzebra"


def error_of(answer: Answer) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json) == ["error"]
    error: dict[str, Any] = answer.json["error"]
    assert list(error) == ["code", "message", "field"]
    return error


def test_one_text(server: Server, classifier: Classifier) -> None:
    answer = server.ask({"inputs": "raw honey"})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "predictions": classifier.predict(["raw honey"]),
        "bundle": classifier.bundle.identity,
    }


def test_many_texts_tasks_and_top_k(server: Server, classifier: Classifier) -> None:
    texts = ["raw honey", "butter knife", "raw honey"]
    answer = server.ask({"inputs": texts, "tasks": ["source", "ingredient"], "top_k": 3})
    predictions = answer.json["predictions"]
    assert [list(prediction) for prediction in predictions] == [["source", "ingredient"]] * 3
    assert [len(prediction["source"]) for prediction in predictions] == [3] * 3
    assert [len(prediction["ingredient"]) for prediction in predictions] == [2] * 3
    assert predictions[0] == predictions[2]
    alone = classifier.predict(["butter knife"], ["source"])[0]["source"][0]
    assert predictions[1]["source"][0]["label"] == alone["label"]
    assert math.isclose(predictions[1]["source"][0]["score"], alone["score"], abs_tol=0.02)


def test_truncated_is_there_only_when_a_text_was_cut(server: Server) -> None:
    answer = server.ask({"inputs": ["raw honey", "honey " * 500, "salt", "salt " * 500]})
    assert answer.json["truncated"] == [1, 3]
    assert "truncated" not in server.ask({"inputs": ["raw honey"]}).json


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""]
)
def test_any_content_type_is_json(server: Server, content_type: str) -> None:
    answer = server.request("POST", "/", '{"inputs": "salt"}', {"Content-Type": content_type})
    assert answer.status == 200


def test_a_byte_order_mark_and_chunks_are_taken(server: Server) -> None:
    parts = iter([b'\xef\xbb\xbf{"inp', b'uts": "salt"}'])
    assert server.request("POST", "/", parts).status == 200


# The server's limits are larger; test_limits_of_the_server is about them.
@pytest.mark.parametrize(
    ("body", "code", "field", "message"),
    [case for case in WRONG if case[1] not in ("too_many_texts", "text_too_long")],
)
def test_a_wrong_body(
    server: Server, body: str, code: str, field: str | None, message: str
) -> None:
    answer = server.request("POST", "/", body)
    assert answer.status == 400
    error = error_of(answer)
    assert (error["code"], error["field"]) == (code, field)
    assert message in error["message"]


def test_limits_of_the_server(server: Server) -> None:
    texts = error_of(server.ask({"inputs": ["salt"] * 257}))
    assert (texts["code"], texts["field"]) == ("too_many_texts", "inputs")
    assert "257 texts; send at most 256" in texts["message"]
    chars = error_of(server.ask({"inputs": ["salt", "s" * 10_001]}))
    assert (chars["code"], chars["field"]) == ("text_too_long", "inputs[1]")
    assert server.ask({"inputs": ["salt"] * 256}).status == 200
    assert server.ask({"inputs": "s" * 10_000}).status == 200


def test_an_unknown_task(server: Server) -> None:
    answer = server.ask({"inputs": "salt", "tasks": ["source", "colour"]})
    assert answer.status == 400
    error = error_of(answer)
    assert (error["code"], error["field"]) == ("unknown_task", "tasks[1]")
    assert "ask for some of: ingredient, source, category" in error["message"]


@pytest.mark.parametrize("body", [b"\xff\xd8\xff\xe0", bytes(range(256)), b"\x00"])
def test_binary_bodies(server: Server, body: bytes) -> None:
    answer = server.request("POST", "/", body)
    assert answer.status == 400
    assert error_of(answer)["code"] in ("invalid_encoding", "invalid_json")


def test_bodies_compressed_otherwise_are_refused(server: Server) -> None:
    answer = server.request("POST", "/", b"\x28\xb5\x2f\xfd", {"Content-Encoding": "zstd"})
    assert answer.status == 415
    assert error_of(answer)["code"] == "unsupported_encoding"


def blocks(size: int) -> Iterator[bytes]:
    yield from (b" " * 65536 for _ in range(size // 65536))


# Past 32 MiB, which Cloud Run never lets through, gunicorn may close on a client still sending.
@pytest.mark.parametrize("size", [2 * MIB, 30 * MIB])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("target", [("POST", "/", 413), ("PUT", "/no", 404)])
def test_a_large_body_is_answered_and_not_kept(
    server: Server, size: int, chunked: bool, target: tuple[str, str, int]
) -> None:
    method, path, status = target
    server.request("GET", "/health")
    before_mb = server.last_line()["profile"]["rss_mb"]
    headers = {} if chunked else {"Content-Length": str(size)}
    answer = server.request(method, path, blocks(size), headers)
    assert answer.status == status
    assert "send" in error_of(answer)["message"]
    server.request("GET", "/health")
    assert server.last_line()["profile"]["rss_mb"] - before_mb < 10


def test_the_largest_body_is_taken(server: Server) -> None:
    body = b'{"inputs": "salt"}'
    assert server.request("POST", "/", body + b" " * (MIB - len(body))).status == 200
    assert server.request("POST", "/", body + b" " * (MIB - len(body) + 1)).status == 413


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/", "GET, POST, HEAD, OPTIONS"),
        ("DELETE", "/", "GET, POST, HEAD, OPTIONS"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("POST", "/ready", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method(server: Server, method: str, path: str, allow: str) -> None:
    answer = server.request(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)
    assert error_of(answer)["code"] == "method_not_allowed"
    options = server.request("OPTIONS", path)
    assert (options.status, options.headers["Allow"], options.body) == (204, allow, b"")


@pytest.mark.parametrize("path", ["/nothing", "/health/x", "/%00", "/../etc/passwd", "/%ff"])
def test_an_unknown_path(server: Server, path: str) -> None:
    answer = server.request("GET", path)
    assert answer.status == 404
    assert "POST / or GET /, /health, /ready" in error_of(answer)["message"]


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_a_broken_request_is_no_server_error(server: Server, data: bytes) -> None:
    reply = server.send_raw(data)
    assert re.match(rb"HTTP/1\.1 4\d\d ", reply)
    assert server.ask({"inputs": "salt"}).status == 200


@given(
    st.fixed_dictionaries(
        {"inputs": st.lists(st.text(st.characters(), min_size=1), min_size=1, max_size=4)},
        optional={"tasks": st.lists(st.text(max_size=3)), "top_k": st.integers(-1, 50)},
    )
)
@settings(max_examples=40, deadline=None)
def test_no_unicode_is_a_server_error(server: Server, question: dict[str, Any]) -> None:
    assert server.ask(question).status in (200, 400)


def test_a_lone_surrogate_is_answered(server: Server) -> None:
    answer = server.request("POST", "/", '{"inputs": "raw \\ud800 honey"}')
    assert answer.status == 200
    same = server.ask({"inputs": "raw \ufffd honey"})
    assert answer.json == same.json
    assert server.request("POST", "/", '{"inputs": "a", "tasks": ["\\udfff"]}').status == 400


def test_description(server: Server, classifier: Classifier) -> None:
    bundle = classifier.bundle
    answer = server.request("GET", "/")
    assert answer.status == 200
    assert answer.json == {
        "service": "polyhead",
        "bundle": bundle.identity,
        "base": bundle.base,
        "max_tokens": bundle.max_tokens,
        "long_texts": bundle.long_texts,
        "tasks": [
            {"name": task.name, "kind": task.kind, "labels": list(task.labels)}
            for task in bundle.tasks
        ],
        "limits": {"max_bytes": MIB, "max_texts": 256, "max_chars": 10000, "max_explained": 8},
    }


@pytest.mark.parametrize("path", ["/", "/health", "/ready"])
def test_head_is_get_without_a_body(server: Server, path: str) -> None:
    head, get = server.request("HEAD", path), server.request("GET", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_liveness_loads_nothing_and_readiness_does(
    way: str, bundle_path: Path, tmp_path: Path
) -> None:
    """The image loads its bundle by itself; its first use counts as cold, too."""
    with serving(bundle_path, tmp_path / "log", way) as fresh:
        assert fresh.request("GET", "/health").json == {"status": "alive"}
        alive = fresh.last_line()["profile"]
        assert alive["cold"] is False
        assert way == "image" or alive["bundle"] is None
        assert "load" not in {span["name"] for span in alive["spans"]}
        ready = fresh.request("GET", "/ready")
        assert (ready.status, ready.json["status"]) == (200, "ready")
        loaded = fresh.last_line()["profile"]
        assert {"load", "session", "run"} <= {span["name"] for span in loaded["spans"]}
        assert (loaded["bundle"], loaded["cold"]) == (ready.json["bundle"], True)
        fresh.ask({"inputs": "salt"})
        warm = fresh.last_line()["profile"]
        assert warm["cold"] is False
        assert "load" not in {span["name"] for span in warm["spans"]}


def test_a_broken_bundle_is_503_with_the_reason_and_without_paths(way: str, tmp_path: Path) -> None:
    with serving(tmp_path / "nowhere", tmp_path / "log", way) as broken:
        assert broken.request("GET", "/health").status == 200
        for method, path in [("GET", "/ready"), ("GET", "/"), ("POST", "/")]:
            answer = broken.request(method, path, json.dumps({"inputs": SECRET}))
            assert answer.status == 503
            error = error_of(answer)
            assert error["code"] == "bundle_unusable"
            assert "no such directory; give a bundle directory" in error["message"]
            assert str(tmp_path) not in answer.body.decode()
            line = broken.last_line()
            assert line["severity"] == "ERROR"
            assert f"{tmp_path / 'nowhere'}: no such directory" in line["message"]
            assert line["stack_trace"].endswith("BundleError")
        assert broken.request("POST", "/", "{").status == 400


def test_the_log_line(server: Server, classifier: Classifier) -> None:
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    server.ask({"inputs": ["raw honey", "salt"]}, traceparent=f"00-{trace}-{span}-01")
    line = server.last_line()
    assert (line["severity"], line["message"]) == ("INFO", "POST / 200")
    assert line["logging.googleapis.com/trace"] == f"projects/testing/traces/{trace}"
    assert line["logging.googleapis.com/spanId"] == span
    profile = line["profile"]
    assert set(profile) >= {"bundle", "cold", "rss_mb", "spans", "texts", "tokens"}
    assert profile["format"] == 2
    assert {row["parent"] for row in profile["spans"]} == {None, 0}
    assert (profile["route"], profile["status"], profile["sampled"]) == ("POST /", 200, True)
    request = next(span for span in profile["spans"] if span["name"] == "request")
    assert profile["duration_ms"] == request["duration_ms"]
    assert (profile["texts"], profile["bundle"]) == (2, classifier.bundle.identity)
    assert profile["tokens"] == sum(map(len, classifier.encode(["raw honey", "salt"]).ids))
    assert profile["rss_mb"] > 10


def test_server_timing_says_what_the_log_says(server: Server) -> None:
    answer = server.ask({"inputs": "raw honey"})
    spans = server.last_line()["profile"]["spans"]
    header = ", ".join(f"{span['name']};dur={span['duration_ms']}" for span in spans)
    assert answer.headers["Server-Timing"] == header
    names = {span["name"] for span in spans}
    assert {"request", "parse", "tokenize", "run", "softmax", "respond"} <= names
    request = spans[0]
    assert all(span["start_ms"] >= request["start_ms"] for span in spans)
    assert all(span["duration_ms"] <= request["duration_ms"] for span in spans)


def test_what_a_user_sent_is_never_logged(server: Server) -> None:
    before = len(server.lines())
    server.ask({"inputs": SECRET})
    server.ask({"inputs": [SECRET * 400, SECRET * 400]})
    server.ask({"inputs": "a", "tasks": [SECRET]})
    server.ask({"inputs": "a", SECRET: 1})
    server.ask({"inputs": [SECRET, 1]})
    server.request("POST", "/", SECRET)
    server.request("GET", f"/{SECRET}?{SECRET}")
    server.request(SECRET.upper())
    server.request("POST", "/", "{}", {"X-Cloud-Trace-Context": SECRET, "User-Agent": SECRET})
    assert len(server.lines()) - before == 9
    assert SECRET.lower() not in server.log.read_text("utf-8").lower()


def test_sixteen_first_requests_load_once(cold_log: list[dict[str, Any]]) -> None:
    names = [[span["name"] for span in line["profile"]["spans"]] for line in cold_log]
    assert len(cold_log) == 17
    assert sum("load" in spans for spans in names) == 1
    assert [line["profile"]["cold"] for line in cold_log if "load" in str(line)] == [True]
    assert cold_log[-1]["profile"]["cold"] is False


def test_without_a_project_no_trace_is_named(cold_log: list[dict[str, Any]]) -> None:
    assert not any("logging.googleapis.com/trace" in line for line in cold_log)
