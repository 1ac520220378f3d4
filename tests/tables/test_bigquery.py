"""A table of BigQuery is read page by page, and what stands in the way is told in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from function.batch.job import BatchJob, run_job
from tables.reader import TableError, TableReader
from tables.remote_table import RemoteTable, table_location
from tests.bigquery_standin import BigQueryStandIn, StoredTable, bigquery_standin

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "bq://shop-1.mail.tickets"
COLUMNS: list[dict[str, Any]] = [
    {"name": "text", "type": "STRING", "mode": "REQUIRED"},
    {"name": "n", "type": "INTEGER"},
    {"name": "score", "type": "FLOAT"},
    {"name": "urgent", "type": "BOOLEAN", "mode": "NULLABLE"},
    {"name": "tags", "type": "STRING", "mode": "REPEATED"},
]
ROWS: list[list[Any]] = [
    ["crème; brûlée", "9007199254740993", "1.5", "true", ["a", "b"]],
    ["\u4e2d\u6587 \U0001f600", None, "NaN", "false", []],
    [None, None, None, None, []],
    ["x", "-1", "1.0E-4", None, ["a"]],
]
FIELDS: list[dict[str, Any]] = [
    {"text": "crème; brûlée", "n": 9007199254740993, "score": 1.5, "urgent": True,
     "tags": ["a", "b"]},
    {"text": "\u4e2d\u6587 \U0001f600", "n": None, "score": None, "urgent": False, "tags": []},
    {"text": None, "n": None, "score": None, "urgent": None, "tags": []},
    {"text": "x", "n": -1, "score": 1e-4, "urgent": None, "tags": ["a"]},
]  # fmt: skip


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQueryStandIn]:
    with bigquery_standin() as standin:
        standin.tables["shop-1.mail.tickets"] = StoredTable(COLUMNS, list(ROWS))
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", standin.host)
        monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
        yield standin


def read(address: str) -> tuple[list[dict[str, Any] | None], list[str]]:
    with TableReader(table_location(address)) as reader:
        fields = [row.fields for row in reader]
        assert 0 < reader.read_bytes == reader.total_bytes
        return fields, [note.removeprefix(f"{address}: ") for note in reader.notes]


def test_all_pages_are_read_with_values_of_their_types(standin: BigQueryStandIn) -> None:
    fields, notes = read(ADDRESS)
    assert fields == FIELDS
    no_null = "is REPEATED, which has no NULL: an empty list says that no label applies"
    assert notes == [f"column 'tags' {no_null}"]
    path = "/bigquery/v2/projects/shop-1/datasets/mail/tables/tickets"
    assert standin.paths == [path, f"{path}/data", f"{path}/data"]


def test_values_of_other_types_become_plain(standin: BigQueryStandIn) -> None:
    record = [{"name": "a", "type": "INT64"}, {"name": "b", "type": "BOOL", "mode": "REPEATED"}]
    columns: list[dict[str, Any]] = [
        {"name": "price", "type": "NUMERIC"},
        {"name": "at", "type": "TIMESTAMP"},
        {"name": "day", "type": "DATE"},
        {"name": "bytes", "type": "BYTES"},
        {"name": "json", "type": "JSON"},
        {"name": "more", "type": "RECORD", "fields": record},
    ]
    cells = ["1.50", "1.7E9", "2026-01-02", "bsOp", '["x"]', ("1", ["true", "false"])]
    nothing = [None] * len(columns)
    standin.tables["example.com:old.mail.t 1"] = StoredTable(columns, [cells, nothing])
    fields, notes = read("bq://example.com:old.mail.t 1")
    assert fields == [
        {
            "price": 1.5,
            "at": "2023-11-14T22:13:20+00:00",
            "day": "2026-01-02",
            "bytes": "né",
            "json": ["x"],
            "more": {"a": 1, "b": [True, False]},
        }
    ]
    assert notes == ["1 empty row skipped"]


def test_a_passing_failure_is_repeated(standin: BigQueryStandIn) -> None:
    standin.outages = 1
    assert read(ADDRESS)[0] == FIELDS


def test_a_token_is_sent(standin: BigQueryStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.tokens = {"good": True}
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "good")
    assert read(ADDRESS)[0] == FIELDS


@pytest.mark.parametrize(
    ("token", "address", "message"),
    [
        ("good", "bq://mail.tickets", "no table of BigQuery; give bq://PROJECT.DATASET.TABLE"),
        ("good", "bq://p.d.none", "Not found: Table p.d.none; give bq://PROJECT.DATASET.TABLE"),
        (
            "good",
            "bq://p.d.view",
            "a materialized view, whose rows cannot be listed; save its rows as a table and give "
            "that",
        ),
        (
            "barred",
            "bq://p.d.t",
            "Access Denied: Table p.d.t: Permission bigquery.tables.get denied on table (or it "
            "may not exist); ask for the role BigQuery Data Viewer (roles/bigquery.dataViewer) on "
            "the table",
        ),
        (
            "expired",
            "bq://p.d.t",
            "no valid credentials of Google Cloud (The credentials do not contain the necessary "
            "fields need to refresh the access token); log in "
            "(`application-default login` of `gcloud auth`), or set GOOGLE_APPLICATION_CREDENTIALS "
            "to a key file or GOOGLE_OAUTH_ACCESS_TOKEN to an access token",
        ),
    ],
)
def test_what_stands_in_the_way_is_told_with_a_remedy(
    standin: BigQueryStandIn,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    address: str,
    message: str,
) -> None:
    standin.tokens = {"good": True, "barred": False}
    standin.tables["p.d.view"] = StoredTable(COLUMNS, [], "MATERIALIZED_VIEW")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", token)
    with pytest.raises(TableError) as error:
        TableReader(table_location(address))
    assert str(error.value) == f"{address}: {message}"


def test_a_quota_that_is_used_up_needs_no_other_role(standin: BigQueryStandIn) -> None:
    standin.is_over_quota = True
    message = "Exceeded rate limits: too many requests; try again later"
    with pytest.raises(TableError, match=f"^{ADDRESS}: {message}$"):
        TableReader(RemoteTable(ADDRESS))


def test_a_host_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "127.0.0.1:9")
    problem = r"cannot be reached \(ConnectionError\); check the network and try again"
    with pytest.raises(TableError, match=rf"^{ADDRESS}: BigQuery {problem}$"):
        TableReader(RemoteTable(ADDRESS))


def test_without_credentials_batch_says_how_to_get_some(tmp_path: Path) -> None:
    hidden = ("GOOGLE_", "BIGQUERY_", "CLOUDSDK_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    environment |= {"CLOUDSDK_CONFIG": str(tmp_path), "NO_GCE_CHECK": "true"}
    command = [sys.executable, "-m", "function", "batch", ADDRESS, str(tmp_path / "out.jsonl")]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {ADDRESS}: no valid credentials of Google Cloud (Your default credentials were "
        "not found); log in (`application-default login` of `gcloud auth`), or set "
        "GOOGLE_APPLICATION_CREDENTIALS to a key file or GOOGLE_OAUTH_ACCESS_TOKEN to an access "
        "token\n"
    )


class BrokenOff(StoredTable):
    """A table whose second page has no rows."""

    def page(self, start: int, size: int) -> dict[str, Any]:
        page = super().page(start, size)
        return {**page, "rows": []} if start else page


def test_a_table_that_loses_rows_while_it_is_read_is_no_shorter_table(
    standin: BigQueryStandIn,
) -> None:
    standin.tables["p.d.t"] = BrokenOff(COLUMNS, ROWS)
    problem = "2 of 4 rows were answered; the table may have changed meanwhile, try again"
    with (
        TableReader(RemoteTable("bq://p.d.t")) as reader,
        pytest.raises(TableError, match=f"^bq://p.d.t: {problem}$"),
    ):
        list(reader)


def test_batch_goes_on_with_the_same_table_alone(
    standin: BigQueryStandIn, bundle_path: Path, tmp_path: Path
) -> None:
    columns, rows = [COLUMNS[0]], [["raw honey"], ["knife"], ["beer"]]
    job = BatchJob(RemoteTable("bq://p.d.t"), tmp_path / "out.jsonl", bundle_path, chunk_rows=1)
    standin.tables["p.d.t"] = BrokenOff(columns, rows)
    with pytest.raises(ValueError, match="2 of 3 rows were answered"):
        run_job(job)
    standin.tables["p.d.t"] = StoredTable(columns, [*rows, ["wine"]])
    with pytest.raises(ValueError, match="input_version"):
        run_job(job)
    standin.tables["p.d.t"] = StoredTable(columns, rows)
    assert run_job(job).rows == 3
    scored = [json.loads(line) for line in job.target.read_text().splitlines()]
    assert [row["text"] for row in scored] == ["raw honey", "knife", "beer"]
    assert all(row["predictions"] for row in scored)


def test_the_version_changes_with_the_rows(standin: BigQueryStandIn) -> None:
    table = RemoteTable(ADDRESS)
    before = table.version()
    assert table.version() == before
    standin.tables["shop-1.mail.tickets"].rows[-1] = ["y", "-1", "1.0E-4", None, ["a"]]
    assert table.version() != before
