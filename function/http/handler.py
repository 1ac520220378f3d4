"""The function that Cloud Run and Cloud Functions call: `classify`.

    functions-framework --source main.py --target classify

Importing this module reads the settings and loads nothing else. The image starts
`function.start` instead, which hands it a classifier that is loaded already.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import functions_framework

from function.http.body import discard_rest
from function.http.compression import MIN_BYTES, accepts_gzip, deflate
from function.http.loading import LazyClassifier
from function.http.service import Reply, RequestFacts, Service
from function.record.log import Instance, now, rss_mb, trace_fields, write_line
from function.record.otlp_export import OtlpExport
from function.record.trace_context import Trace, is_sampled, read_trace
from function.settings import Settings
from profiling.timer import Session, Span, server_timing, span_rows, startup, timer

if TYPE_CHECKING:
    from flask import Request

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
PROFILE_FORMAT = 2
"""Format of a line's `profile`: 2 has the parents of spans, lines before it have no format."""
Response = tuple[str | bytes | Iterator[bytes], int, dict[str, Any]]
"""Body, status and headers, as flask takes them."""

_settings = Settings.from_mapping(os.environ)
_service = Service(_settings)
_instance = Instance()
_otlp_export = OtlpExport(_settings)


@functions_framework.http
def classify(request: Request) -> Response:
    """Answer one request and log its line. Never raises for anything a client can send."""
    facts = RequestFacts()
    trace = read_trace(request.headers)
    detailed = startup.pending or is_sampled(trace, _settings.profile_sample)
    with timer.session(detailed=detailed) as session, timer.span("request"):
        reply = _service.answer(request, facts)
        body = _compressed(request, reply.body)
    entry = _log_entry(request, reply, facts, trace, session)
    write_line(entry)
    _otlp_export.export(session, trace, str(entry["message"]), reply.status)
    return _response(request, reply, body, session.spans)


def use(classifier: LazyClassifier) -> None:
    """Answer with this classifier, which may be loaded already."""
    _service.classifier = classifier


def _compressed(request: Request, body: str) -> str | bytes:
    """The body, compressed when the client accepts that and it gets shorter."""
    if len(body) <= MIN_BYTES or not accepts_gzip(request.headers.get("Accept-Encoding", "")):
        return body
    with timer.span("compress"):
        return deflate(body.encode())


def _response(request: Request, reply: Reply, body: str | bytes, spans: list[Span]) -> Response:
    headers: dict[str, Any] = {**reply.headers, "Server-Timing": server_timing(spans)}
    if reply.body:
        headers["Content-Type"] = "application/json"
        headers["Vary"] = "Accept-Encoding"
    if isinstance(body, bytes):
        headers["Content-Encoding"] = "gzip"
    if discard_rest(request):
        return body, reply.status, headers
    whole = body.encode() if isinstance(body, str) else body
    # functions-framework reads all that is left of the body into memory, however much it is,
    # unless the response is streamed; gunicorn then throws the rest away block by block.
    return iter([whole]), reply.status, headers


def _log_entry(
    request: Request, reply: Reply, facts: RequestFacts, trace: Trace | None, session: Session
) -> dict[str, object]:
    """The request's line. Unknown paths and methods are text of the client, so they stay out."""
    method = request.method if request.method in METHODS else "other method"
    path = request.path if _service.knows(request.path) else "other path"
    message = f"{method} {path} {reply.status}"
    request_span = next(span for span in reversed(session.spans) if span.name == "request")
    entry: dict[str, object] = {
        "time": now(),
        "severity": _severity(reply.status, method),
        "message": message if facts.failure is None else f"{message}: {facts.failure}",
        **trace_fields(trace, _settings.project),
        "profile": {
            "format": PROFILE_FORMAT,
            "cold": facts.cold,
            "route": f"{method} {path}",
            "status": reply.status,
            "duration_ms": round(request_span.duration_ms or 0.0, 3),
            "spans": span_rows(session.spans),
            "sampled": session.detailed,
            "texts": facts.texts,
            "tokens": facts.tokens,
            "rss_mb": rss_mb(),
            "bundle": _service.classifier.identity,
            "revision": _settings.revision,
            "instance": _instance.describe(),
        },
    }
    if facts.stack is not None:
        entry["stack_trace"] = facts.stack
    return entry


def _severity(status: int, method: str) -> str:
    if status >= 500:
        return "ERROR"
    if status >= 400:
        return "WARNING"
    return "INFO" if method == "POST" else "DEBUG"
