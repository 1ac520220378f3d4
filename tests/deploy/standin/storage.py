"""What would the buckets hold? Objects, put and read as gcloud does, with their checksums."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import quote, unquote

from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response, authorized, document

OBJECT = re.compile(r"(?:/download)?(?:/storage/v1)?/b/([^/]+)(?:/o(?:/(.+))?)?")
UPLOAD = re.compile(r"(?:/resumable)?/upload(?:/storage/v1)?/b/([^/]+)/o")
BASE = "http://storage.test"
THEN = "2026-01-01T00:00:00Z"


class Storage:
    """`objects` maps (bucket, name) to content. Every bucket asked for exists."""

    def __init__(self, cloud: Cloud) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self._uploads: list[tuple[str, str]] = []
        cloud.serve(lambda host: host == "storage.test", self._answer)

    def folder(self, bucket: str, prefix: str) -> dict[str, bytes]:
        """{name after the prefix: content}."""
        return {
            name.removeprefix(prefix): content
            for (where, name), content in self.objects.items()
            if where == bucket and name.startswith(prefix)
        }

    def _answer(self, request: Request) -> Response:
        authorized(request)
        if match := UPLOAD.fullmatch(request.path):
            return self._put(request, match[1])
        match = OBJECT.fullmatch(request.path)
        if match is None:
            raise RefusalError(404, f"no such method: {request.path}")
        bucket, name = match[1], match[2]
        if name is not None:
            return self._get(request, bucket, unquote(name))
        if request.path.endswith("/o"):
            return self._list(bucket, request.query)
        return document({"kind": "storage#bucket", "name": bucket, "location": "EU"} | LAYOUT)

    def _list(self, bucket: str, query: dict[str, str]) -> Response:
        prefix = query.get("prefix", "")
        names = [f"{prefix}{rest}" for rest in self.folder(bucket, prefix)]
        items = [self._described(bucket, name) for name in sorted(names)]
        return document({"kind": "storage#objects", "items": items})

    def _get(self, request: Request, bucket: str, name: str) -> Response:
        if (bucket, name) not in self.objects:
            raise RefusalError(404, f"No such object: {bucket}/{name}")
        if request.query.get("alt") != "media":
            return document(self._described(bucket, name))
        content = self.objects[bucket, name]
        byte_range = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if byte_range is None:
            return Response(200, content)
        first, last = int(byte_range[1]), min(int(byte_range[2] or len(content)), len(content) - 1)
        where = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return Response(206, content[first : last + 1], where)

    def _put(self, request: Request, bucket: str) -> Response:
        if "upload_id" in request.query:
            bucket, name = self._uploads[int(request.query["upload_id"])]
            self.objects[bucket, name] = request.body
            return document(self._described(bucket, name))
        if request.query.get("uploadType") == "resumable":
            name = request.query.get("name") or request.json["name"]
            self._uploads.append((bucket, name))
            where = f"{BASE}/upload/storage/v1/b/{bucket}/o"
            where += f"?uploadType=resumable&upload_id={len(self._uploads) - 1}"
            return Response(200, b"", {"Location": where})
        metadata, content = _parts(request)
        name = request.query.get("name") or metadata["name"]
        self.objects[bucket, name] = content
        return document(self._described(bucket, name))

    def _described(self, bucket: str, name: str) -> dict[str, Any]:
        content = self.objects[bucket, name]
        return {
            "kind": "storage#object",
            "id": f"{bucket}/{name}/1",
            "bucket": bucket,
            "name": name,
            "size": str(len(content)),
            "generation": "1",
            "metageneration": "1",
            "etag": "etag",
            "storageClass": "STANDARD",
            "timeCreated": THEN,
            "updated": THEN,
            "mediaLink": f"{BASE}/download/storage/v1/b/{bucket}/o/{quote(name, '')}?alt=media",
            "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
        }


LAYOUT = {"storageClass": "STANDARD", "timeCreated": THEN, "updated": THEN}


def _parts(request: Request) -> tuple[dict[str, Any], bytes]:
    """Metadata and content of a multipart/related upload."""
    boundary = re.search(r"boundary=[\"']?([^\"';]+)", request.headers["content-type"])
    assert boundary, request.headers["content-type"]
    _, first, second, _ = request.body.split(b"--" + boundary[1].encode())
    bodies = [
        part.split(b"\n\n" if b"\r\n\r\n" not in part else b"\r\n\r\n", 1)[1]
        for part in (first, second)
    ]
    content = bodies[1]
    content = (
        content.removesuffix(b"\r\n") if content.endswith(b"\r\n") else content.removesuffix(b"\n")
    )
    return json.loads(bodies[0]), content
