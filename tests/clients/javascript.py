"""How tests run the client in JavaScript: its package in Node, its files on a server."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "js"
HERE = Path(__file__).parent
ANSWER_SECONDS = 600


def node_command() -> str:
    """Node, where the packages of the client are here; skips the test otherwise."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    if not (CLIENT / "node_modules").is_dir():
        pytest.skip("no packages here: npm ci --ignore-scripts --prefix clients/js")
    return node


def run_node(script: str, request: Any) -> Any:
    """What a script of this folder makes of `request`, JSON in and out."""
    done = subprocess.run(
        [node_command(), str(HERE / script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWER_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Files(SimpleHTTPRequestHandler):
    """The files of the repository, and `others` at addresses of their own."""

    def __init__(self, *arguments: Any, others: dict[str, bytes]) -> None:
        self._others = others
        super().__init__(*arguments, directory=str(ROOT))

    def do_GET(self) -> None:
        body = self._others.get(self.path)
        if body is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(self.path))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""


@contextmanager
def served(others: dict[str, bytes]) -> Iterator[str]:
    """The address of a server of `Files`."""
    handler = partial(Files, others=others)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
