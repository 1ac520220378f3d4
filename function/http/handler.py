"""The function that functions-framework calls: `classify`.

    functions-framework --source main.py --target classify

Cloud Functions, source deploys and local runs start it so. Importing this module reads the
settings and loads nothing else. The image starts `function.start` instead, with the same endpoint.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import flask
import functions_framework

from function.http.arriving import ArrivingBody, ArrivingRequest, HeldBytes
from function.http.body import HELD_BODIES, discard_rest
from function.http.endpoint import Endpoint
from function.http.framework import set_up_flask, set_up_gunicorn, worker_count
from function.settings import Settings, SettingsError

if TYPE_CHECKING:
    from flask import Request

FlaskResponse = tuple[bytes | Iterator[bytes], int, dict[str, str]]
"""Body, status and headers, as flask takes them."""

try:
    _settings = Settings.from_mapping(os.environ)
except SettingsError as error:
    sys.exit(str(error))
workers = worker_count(os.environ)
_endpoint = Endpoint(_settings)
_held = HeldBytes(HELD_BODIES * _settings.max_bytes)


@functions_framework.http
def classify(request: Request) -> FlaskResponse:
    """Answer one request and log its line. Never raises for anything a client can send."""
    body = ArrivingBody(request.stream, _held)
    try:
        response = _endpoint.handle(ArrivingRequest(request, body))
    finally:
        body.end()
    if not body.broken and discard_rest(request.stream):
        return response.body, response.status, response.headers
    # functions-framework reads all that is left of the body into memory, however much it is,
    # unless the response is streamed; gunicorn then throws the rest away block by block.
    return iter([response.body]), response.status, response.headers


set_up_gunicorn(_endpoint)
if flask.has_app_context():  # functions-framework imports this module within its app's
    set_up_flask(flask.current_app, lambda: classify(flask.request))
