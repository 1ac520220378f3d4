"""A local host that answers the two calls of BigQuery's REST API that list a table's rows.

Written after https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/get and
.../v2/tabledata/list; BIGQUERY_EMULATOR_HOST points the product to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.standin_server import answering

PAGE_ROWS = 2


@dataclass
class StoredTable:
    columns: list[dict[str, Any]]
    """As tables.get describes them: name, type, mode, fields."""
    rows: list[list[Any]]
    """Cells as the API writes them: None, text, lists of text, lists of such for records."""
    kind: str = "TABLE"

    def description(self, name: str) -> dict[str, Any]:
        written = json.dumps([self.columns, self.rows])
        return {
            "kind": "bigquery#table",
            "tableReference": dict(
                zip(("projectId", "datasetId", "tableId"), name.rsplit(".", 2), strict=True)
            ),
            "etag": hashlib.md5(written.encode()).hexdigest(),
            "type": self.kind,
            "schema": {"fields": self.columns},
            "numRows": str(len(self.rows)),
            "numBytes": str(len(written)),
            "lastModifiedTime": "1790000000000",
        }

    def page(self, start: int, size: int) -> dict[str, Any]:
        rows = [{"f": [_cell(cell) for cell in row]} for row in self.rows[start : start + size]]
        page = {"kind": "bigquery#tableDataList", "totalRows": str(len(self.rows)), "rows": rows}
        more = {"pageToken": str(start + size)} if start + size < len(self.rows) else {}
        return {**page, **more}


@dataclass
class BigQueryStandIn:
    tables: dict[str, StoredTable] = field(default_factory=dict)
    """By project.dataset.table."""
    tokens: dict[str, bool] | None = None
    """{access token: whether it may read}; None: no credentials are needed."""
    outages: int = 0
    """Requests that fail with status 503 from now on."""
    paths: list[str] = field(default_factory=list)
    """Of all requests."""
    is_over_quota: bool = False
    host: str = ""

    def answer(self, target: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        path = urlsplit(target).path
        self.paths.append(path)
        if self.outages:
            self.outages -= 1
            return _error(503, "The service is currently unavailable.")
        *_, project, _, dataset, _, table = path.removesuffix("/data").split("/")
        name = unquote(f"{project}.{dataset}.{table}")
        token = (authorization or "").removeprefix("Bearer ")
        if self.tokens is not None and token not in self.tokens:
            return _error(401, "Request had invalid authentication credentials.")
        if self.tokens is not None and not self.tokens[token]:
            denied = "Permission bigquery.tables.get denied on table (or it may not exist)."
            return _error(403, f"Access Denied: Table {name}: {denied}")
        if self.is_over_quota:
            return _error(403, "Exceeded rate limits: too many requests.")
        if name not in self.tables:
            return _error(404, f"Not found: Table {name}")
        if not path.endswith("/data"):
            return 200, self.tables[name].description(name)
        query = parse_qs(urlsplit(target).query)
        size = min(PAGE_ROWS, int(query.get("maxResults", ["10000"])[0]))
        return 200, self.tables[name].page(int(query.get("pageToken", ["0"])[0]), size)


@contextmanager
def bigquery_standin() -> Iterator[BigQueryStandIn]:
    standin = BigQueryStandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, answer = standin.answer(self.path, self.headers["Authorization"])
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with answering(Handler) as standin.host:
        yield standin


def _cell(cell: Any) -> dict[str, Any]:
    if isinstance(cell, list):
        return {"v": [_cell(each) for each in cell]}
    if isinstance(cell, tuple):  # of a record
        return {"v": {"f": [_cell(each) for each in cell]}}
    return {"v": cell}


def _error(status: int, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": status, "message": message, "errors": []}}
