"""Where does every request of gcloud end? At one HTTP proxy, which keeps what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ACCESS_TOKEN = "local-access-token"


@dataclass(frozen=True)
class Request:
    """What was asked, whole."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def token(self) -> str | None:
        """What stands after `Authorization: Bearer`."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return value if kind == "Bearer" else None


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """An answer of 4xx in the form of Google's APIs."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        document = {"error": {"code": status, "message": message, "status": str(status)}}
        self.response = Response(status, json.dumps(document).encode())


def document(content: Any, status: int = 200, **headers: str) -> Response:
    headers = {"Content-Type": "application/json", **headers}
    return Response(status, json.dumps(content).encode(), headers)


Answer = Callable[[Request], Response]


class Cloud:
    """All services behind one proxy. `serve(hosts, answer)` adds one."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self._hosts: list[tuple[Callable[[str], bool], Answer]] = []

    def serve(self, hosts: Callable[[str], bool], answer: Answer) -> None:
        self._hosts.append((hosts, answer))

    def answer(self, request: Request) -> Response:
        self.requests.append(request)
        try:
            for hosts, answer in self._hosts:
                if hosts(request.host):
                    return answer(request)
            raise RefusalError(502, f"nothing stands in for {request.host}")
        except RefusalError as refusal:
            return refusal.response

    def sent(self, method: str, path: str = "") -> list[Request]:
        """Requests so far of `method` whose path holds `path`."""
        return [
            request
            for request in self.requests
            if request.method == method and path in request.path
        ]


def authorized(request: Request) -> None:
    """Refuse whoever does not carry the local access token."""
    if request.token != ACCESS_TOKEN:
        raise RefusalError(401, "no valid access token")


@contextmanager
def listening(cloud: Cloud) -> Iterator[int]:
    """Serve `cloud` on a free local port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            response = cloud.answer(self._request())
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def _request(self) -> Request:
            # A proxy is asked for whole addresses, and for `host:port` by CONNECT.
            target = self.path if "//" in self.path else f"//{self.path}"
            parts = urlsplit(target)
            length = int(self.headers.get("Content-Length") or 0)
            return Request(
                method=self.command,
                host=parts.hostname or "",
                path=unquote(parts.path),
                query={name: values[-1] for name, values in parse_qs(parts.query).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )

        def log_message(self, *_: Any) -> None:
            """The requests are kept, not printed."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = _answer  # noqa: N815

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
