"""The function that functions-framework calls: `classify`.

    functions-framework --source main.py --target classify

Cloud Functions, source deploys and local runs start it so. Importing this module reads the
settings and loads nothing else. The image starts `function.start` instead, with the same endpoint.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import functions_framework

from function.http.body import discard_rest
from function.http.endpoint import Endpoint
from function.settings import Settings

if TYPE_CHECKING:
    from flask import Request

FlaskResponse = tuple[bytes | Iterator[bytes], int, dict[str, str]]
"""Body, status and headers, as flask takes them."""

_endpoint = Endpoint(Settings.from_mapping(os.environ))


@functions_framework.http
def classify(request: Request) -> FlaskResponse:
    """Answer one request and log its line. Never raises for anything a client can send."""
    response = _endpoint.handle(request)
    if discard_rest(request):
        return response.body, response.status, response.headers
    # functions-framework reads all that is left of the body into memory, however much it is,
    # unless the response is streamed; gunicorn then throws the rest away block by block.
    return iter([response.body]), response.status, response.headers
