"""What functions-framework and gunicorn are told, as far as they can be told anything.

functions-framework makes gunicorn's configuration by itself, from few variables. What it leaves
open are gunicorn's defaults, which can be set before it does:

- a connection stays open between requests as long as in the image, not for 2 s, after which
  gunicorn closes it under the next request;
- who sends nothing for READ_S in the middle of a request is dropped, which frees a thread;
- SIGTERM ends the process within STOP_S, as Cloud Run kills after 10 s, and not within 30.

Of gunicorn's own log only the kind of a failure gets through: it would quote what clients send.
"""

from __future__ import annotations

import logging
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING

import flask
from werkzeug.exceptions import HTTPException

from function.http.errors import RequestError
from function.http.request import UnreadRequest
from function.record.line_output import log_lines
from function.record.log import now

if TYPE_CHECKING:
    from gunicorn.workers.base import Worker

    from function.http.endpoint import Endpoint

IDLE_S = 650
READ_S = 10
STOP_S = 7
THREADS = 32
"""Where THREADS is not set. Threads wait, for slow clients or their turn; few have work."""
NUMBERS = {"THREADS": 1, "WORKERS": 1, "CLOUD_RUN_TIMEOUT_SECONDS": 0, "WEB_CONCURRENCY": 1}
"""Variables that the two read as numbers, and the least that makes sense."""
STATUSES = {
    "LimitRequestLine": 414, "ExpectationFailed": 417, "LimitRequestHeaders": 431,
    "UnsupportedTransferCoding": 501,
}  # fmt: skip
"""What gunicorn answers to requests that it cannot read, where that is not 400."""


def worker_count(environment: MutableMapping[str, str]) -> int:
    """Workers that gunicorn starts. Ends the process, with a reason, where the two would crash."""
    for key, least in NUMBERS.items():
        value = environment.get(key, str(least))
        if not (value.isascii() and value.isdecimal() and int(value[:9]) >= least):
            sys.exit(f"{key}={value!r}: expected a whole number from {least}; correct or unset it")
    try:
        tempfile.gettempdir()
    except OSError:
        sys.exit("no folder for temporary files can be written to; set TMPDIR to one that can")
    environment.setdefault("THREADS", str(THREADS))
    return int(environment.get("WORKERS", "1"))


def set_up_gunicorn(endpoint: Endpoint) -> None:
    """Change the defaults that gunicorn's configuration is made from."""
    from gunicorn import config  # reads the environment, which is checked by now

    def set_up_worker(worker: Worker) -> None:
        limit = struct.pack("ll", READ_S, 0)
        for listener in worker.sockets:  # connections inherit it
            listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        worker.log.error_log.setLevel(logging.WARNING)
        worker.log.error_log.addFilter(ServerFailures(endpoint))

    config.Keepalive.default = IDLE_S
    config.GracefulTimeout.default = STOP_S
    config.PostWorkerInit.default = staticmethod(set_up_worker)


def set_up_flask(app: flask.Flask, answer: Callable[[], flask.typing.ResponseReturnValue]) -> None:
    """Let the endpoint answer what flask and functions-framework would answer by themselves."""

    def instead(_: HTTPException) -> flask.typing.ResponseReturnValue:
        return answer()

    app.register_error_handler(404, instead)
    app.url_map.merge_slashes = False


class ServerFailures(logging.Filter):
    """Has a line logged for what gunicorn answers by itself, in place of gunicorn's own."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    def filter(self, record: logging.LogRecord) -> bool:
        """Never lets gunicorn's line through."""
        kind = type(sys.exc_info()[1]).__name__
        if record.levelno == logging.WARNING:  # about a request that cannot be read
            refusal = RequestError(STATUSES.get(kind, 400), "malformed_request", kind)
            self._endpoint.record(self._endpoint.answer(UnreadRequest(), refusal))
        elif kind == BlockingIOError.__name__:
            message = f"dropped a client that sent nothing for {READ_S} s within a request"
            log_lines.write({"time": now(), "severity": "WARNING", "message": message})
        else:
            message = f"gunicorn failed at a request: {kind}"
            log_lines.write({"time": now(), "severity": "ERROR", "message": message})
        return False
