"""Rows of a BigQuery table, bq://PROJECT.DATASET.TABLE, by its REST API with google-auth.

The credentials are an access token in GOOGLE_OAUTH_ACCESS_TOKEN, else Application Default
Credentials. BIGQUERY_EMULATOR_HOST names a host that stands in for BigQuery.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from tables.arrow_values import plain_value
from tables.optional import optional_module
from tables.row import Fields, TableError, TableRow, is_blank_cell

SCHEME = "bq://"
HOST = "https://bigquery.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/bigquery.readonly"
PAGE_ROWS = 5000
"""Most rows of one answer; BigQuery gives fewer when they are more than 10 MB."""
TIMEOUT_S = 60
RETRIED_STATUSES = (429, 500, 502, 503, 504)
READABLE_TYPES = ("TABLE", "SNAPSHOT")
VERSION_KEYS = ("etag", "lastModifiedTime", "numRows", "streamingBuffer")
FORM = "give bq://PROJECT.DATASET.TABLE"
LOG_IN = (
    "log in (`application-default login` of `gcloud auth`), or set "
    "GOOGLE_APPLICATION_CREDENTIALS to a key file or GOOGLE_OAUTH_ACCESS_TOKEN to an access token"
)
LATER = "try again later"
REMEDIES = {
    400: FORM,
    401: LOG_IN,
    403: "ask for the role BigQuery Data Viewer (roles/bigquery.dataViewer) on the table",
    404: FORM,
}
CONVERSIONS: dict[str, Any] = {
    "INTEGER": int,
    "INT64": int,
    "FLOAT": float,
    "FLOAT64": float,
    "BOOLEAN": "true".__eq__,
    "BOOL": "true".__eq__,
    "NUMERIC": Decimal,
    "BIGNUMERIC": Decimal,
    "BYTES": base64.b64decode,
    "JSON": json.loads,
    "TIMESTAMP": lambda seconds: datetime.fromtimestamp(float(seconds), UTC),
}
"""{type of a column: what makes a value of its text}; of other types the text is the value."""


def version(address: str) -> dict[str, Any]:
    """What of the table's description changes with its rows; raises TableError."""
    with closing(BigQueryRows(address)) as rows:
        return rows.version


class BigQueryRows:
    """The rows of one table; a row's line is its number."""

    def __init__(self, address: str) -> None:
        """Read the table's description; raises TableError without the address."""
        names = address.removeprefix(SCHEME).rsplit(".", 2)  # an old project's name has a dot
        if len(names) < 3 or not all(names):
            raise TableError(f"no table of BigQuery; {FORM}")
        project, dataset, table = (quote(name, safe=":") for name in names)
        host = os.environ.get("BIGQUERY_EMULATOR_HOST") or HOST
        host = host if "://" in host else f"http://{host}"
        path = f"bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}"
        self._url = f"{host.rstrip('/')}/{path}"
        self._session = _session(is_emulator=host != HOST)
        try:
            description = self._answer("")
            kind = description.get("type")
            if kind and kind not in READABLE_TYPES:
                problem = f"a {kind.lower().replace('_', ' ')}, whose rows cannot be listed"
                raise TableError(f"{problem}; save its rows as a table and give that")
        except TableError:
            self.close()
            raise
        self.version = {key: description.get(key) for key in VERSION_KEYS}
        self._schema = description.get("schema", {}).get("fields", [])
        self.columns: list[str] | None = [column["name"] for column in self._schema]
        self.notes = [
            f"column {column['name']!r} is REPEATED, which has no NULL: an empty list says "
            "that no label applies"
            for column in self._schema
            if column.get("mode") == "REPEATED"
        ]
        self.empty_rows = 0
        self.total_bytes = int(description.get("numBytes", 0))
        self._rows = int(description.get("numRows", 0))
        self._line = 0

    @property
    def read_bytes(self) -> int:
        return self.total_bytes * min(self._line, self._rows) // max(1, self._rows)

    def __iter__(self) -> Iterator[TableRow]:
        query: dict[str, Any] = {"maxResults": PAGE_ROWS}
        while True:
            page = self._answer("/data", query)
            for row in page.get("rows", []):
                self._line += 1
                fields = plain_value(_fields(row, self._schema))
                if all(map(is_blank_cell, fields.values())):
                    self.empty_rows += 1
                else:
                    yield TableRow(self._line, fields)
            query["pageToken"] = page.get("pageToken")
            if not query["pageToken"]:
                break
        if self._line < (total := int(page.get("totalRows", 0))):
            problem = f"{self._line} of {total} rows were answered"
            raise TableError(f"{problem}; the table may have changed meanwhile, try again")

    def close(self) -> None:
        self._session.close()

    def _answer(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """The JSON that the service answers; raises TableError with what to do."""
        auth_errors = optional_module("google.auth.exceptions")
        http_errors = optional_module("requests.exceptions")
        try:
            response = self._session.get(self._url + path, params=query, timeout=TIMEOUT_S)
            if response.ok:
                return response.json()
        except auth_errors.GoogleAuthError as error:
            raise TableError(_no_credentials(error)) from None
        except http_errors.RequestException as error:
            problem = f"BigQuery cannot be reached ({type(error).__name__})"
            raise TableError(f"{problem}; check the network and try again") from None
        message = _message(response)
        is_quota = response.status_code == 403 and "denied" not in message.lower()
        remedy = LATER if is_quota else REMEDIES.get(response.status_code, LATER)
        raise TableError(f"{message}; {remedy}")


def _session(*, is_emulator: bool) -> Any:
    """A requests.Session that signs its requests and repeats those that failed by chance."""
    auth = optional_module("google.auth")
    transport = optional_module("google.auth.transport.requests")
    adapters = optional_module("requests.adapters")
    retry = optional_module("urllib3.util").Retry(
        total=4, connect=1, status_forcelist=RETRIED_STATUSES, backoff_factor=0.5,
        raise_on_status=False,
    )  # fmt: skip
    if token := os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN"):
        credentials = optional_module("google.oauth2.credentials").Credentials(token)
    elif is_emulator:
        credentials = optional_module("google.auth.credentials").AnonymousCredentials()
    else:
        try:
            credentials, _ = auth.default(scopes=[SCOPE])
        except optional_module("google.auth.exceptions").GoogleAuthError as error:
            raise TableError(_no_credentials(error)) from None
    session = transport.AuthorizedSession(credentials)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapters.HTTPAdapter(max_retries=retry))
    return session


def _no_credentials(error: Exception) -> str:
    reason = str(error).partition("\n")[0].partition(". ")[0].rstrip(".")
    return f"no valid credentials of Google Cloud ({reason}); {LOG_IN}"


def _message(response: Any) -> str:
    """What the service says of a failure, in one line."""
    try:
        text = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        text = f"BigQuery answered with status {response.status_code}"
    return " ".join(text.split()).rstrip(".")


def _fields(row: dict[str, Any], schema: list[dict[str, Any]]) -> Fields:
    """A row or a record as the API writes it, {"f": [{"v": cell}]}, by the names of columns."""
    return {
        column["name"]: _value(cell["v"], column)
        for column, cell in zip(schema, row["f"], strict=True)
    }


def _value(cell: Any, column: dict[str, Any]) -> Any:
    if cell is None:
        return None
    if column.get("mode") == "REPEATED":
        item = {**column, "mode": "NULLABLE"}
        return [_value(each["v"], item) for each in cell]
    if "fields" in column:
        return _fields(cell, column["fields"])
    return CONVERSIONS.get(column["type"], str)(cell)
