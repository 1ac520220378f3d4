"""The function that Cloud Run and Cloud Functions call: `classify`.

    functions-framework --source main.py --target classify

Importing this module reads the settings and loads nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import functions_framework

from function.body import discard_rest
from function.log import rss_mb, trace_fields, write_line
from function.service import Reply, Service, Tally
from function.settings import Settings
from function.trace import read_trace
from profiling.timer import Span, server_timing, span_rows, timer

if TYPE_CHECKING:
    from flask import Request

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
INFO_STATUS = 400  # the first status that is not
Response = tuple[str | Iterator[str], int, Mapping[str, str | list[str] | tuple[str, ...]]]
"""Body, status and headers, as flask takes them."""

_settings = Settings.from_mapping(os.environ)
_service = Service(_settings)


@functions_framework.http
def classify(request: Request) -> Response:
    """Answer one request and log its line. Never raises for anything a client can send."""
    tally = Tally()
    with timer.session() as session, timer.span("request"):
        reply = _service.answer(request, tally)
    write_line(_log_entry(request, reply, tally, session.spans))
    return _response(request, reply, session.spans)


def _response(request: Request, reply: Reply, spans: list[Span]) -> Response:
    headers: dict[str, str | list[str] | tuple[str, ...]] = {
        **reply.headers,
        "Server-Timing": server_timing(spans),
    }
    if reply.body:
        headers["Content-Type"] = "application/json"
    if discard_rest(request):
        return reply.body, reply.status, headers
    # functions-framework reads all that is left of the body into memory, however much it is,
    # unless the response is streamed; gunicorn then throws the rest away block by block.
    return iter([reply.body]), reply.status, headers


def _log_entry(
    request: Request, reply: Reply, tally: Tally, spans: list[Span]
) -> dict[str, object]:
    """The request's line. Unknown paths and methods are the client's words, so they stay out."""
    method = request.method if request.method in METHODS else "other method"
    path = request.path if _service.knows(request.path) else "other path"
    message = f"{method} {path} {reply.status}"
    entry: dict[str, object] = {
        "severity": _severity(reply.status, method),
        "message": message if tally.failure is None else f"{message}: {tally.failure}",
        **trace_fields(read_trace(request.headers), _settings.project),
        "profile": {
            "cold": tally.cold,
            "spans": span_rows(spans),
            "texts": tally.texts,
            "tokens": tally.tokens,
            "rss_mb": rss_mb(),
            "bundle": _service.classifier.identity,
        },
    }
    if tally.stack is not None:
        entry["stack_trace"] = tally.stack
    return entry


def _severity(status: int, method: str) -> str:
    if status >= 500:
        return "ERROR"
    if status >= INFO_STATUS:
        return "WARNING"
    return "INFO" if method == "POST" else "DEBUG"
