"""A local host that answers the calls of Cloud Storage's JSON API that read objects.

Written after https://cloud.google.com/storage/docs/json_api/v1; STORAGE_EMULATOR_HOST points
Google's client library, and so Beam, to it. It also gives the account of `key_file` its tokens.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.standin_server import answering

OBJECTS = re.compile(r"(?P<media>/download)?/storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<name>.+))?")


@dataclass
class GcsStandIn:
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """By bucket and name."""
    read: list[str] = field(default_factory=list)
    """Names of the objects whose content was read, in turn."""
    host: str = ""

    def key_file(self, path: Path) -> Path:
        """Write the key of a service account, for GOOGLE_APPLICATION_CREDENTIALS."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        account = {
            "type": "service_account",
            "project_id": "my-project",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": "beam@my-project.iam.gserviceaccount.com",
            "token_uri": f"{self.host}/token",
        }
        path.write_text(json.dumps(account))
        return path

    def answer(self, target: str, byte_range: str) -> tuple[int, dict[str, str], bytes]:
        url = urlsplit(target)
        match = OBJECTS.fullmatch(url.path)
        if match is None:
            return _document({"kind": "storage#bucket", "name": url.path.rpartition("/")[2]})
        bucket, query = match["bucket"], parse_qs(url.query)
        if match["name"] is None:
            prefix = query.get("prefix", [""])[0]
            names = sorted(name for where, name in self.objects if where == bucket)
            items = [self._described(bucket, name) for name in names if name.startswith(prefix)]
            return _document({"kind": "storage#objects", "items": items})
        name = unquote(match["name"])
        if (bucket, name) not in self.objects:
            return _document({"error": {"code": 404, "message": f"No such object: {name}"}}, 404)
        if "media" not in query.get("alt", []) and not match["media"]:
            return _document(self._described(bucket, name))
        return self._content(bucket, name, byte_range)

    def _content(
        self, bucket: str, name: str, byte_range: str
    ) -> tuple[int, dict[str, str], bytes]:
        content = self.objects[bucket, name]
        self.read.append(name)
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", byte_range)
        if match is None:
            return 200, {}, content
        first, last = int(match[1]), min(int(match[2] or len(content)), len(content) - 1)
        if first >= len(content):
            return 416, {}, b""
        headers = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return 206, headers, content[first : last + 1]

    def _described(self, bucket: str, name: str) -> dict[str, Any]:
        content = self.objects[bucket, name]
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "size": str(len(content)),
            "generation": "1",
            "updated": "2026-01-01T00:00:00Z",
            "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
        }


@contextmanager
def gcs_standin() -> Iterator[GcsStandIn]:
    standin = GcsStandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*standin.answer(self.path, self.headers.get("Range", "")))

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            token = {"access_token": "token", "token_type": "Bearer", "expires_in": 3600}
            self._send(*_document(token))

        def log_message(self, *_: object) -> None:
            pass

    with answering(Handler) as standin.host:
        yield standin


def _document(content: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
