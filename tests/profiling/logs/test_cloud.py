"""Cloud Logging, read by the real client library over gRPC and TLS from a server on localhost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # its stubs are a package of others
import pytest

from profiling.logs.cloud import log_filter
from profiling.logs.source import SourceError, Window
from tests.profiling.logs.cloud_logging import Running, running
from tests.profiling.logs.lines import line
from tests.serving import ROOT, Server

pytestmark = pytest.mark.slow


def entry(minutes_ago: float, revision: str = "polyhead-1", **fields: Any) -> dict[str, Any]:
    payload = line(minutes_ago, **fields)
    del payload["time"]
    severity = payload.pop("severity")
    return logged(payload, severity, minutes_ago, revision)


def logged(
    payload: dict[str, Any],
    severity: str,
    minutes_ago: float,
    revision: str,
    service: str = "polyhead",
) -> dict[str, Any]:
    return {
        "insertId": f"{minutes_ago}-{revision}",
        "logName": "projects/testing/logs/run.googleapis.com%2Fstdout",
        "timestamp": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(),
        "severity": severity,
        "trace": f"projects/testing/traces/{'e' * 32}",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {"service_name": service, "revision_name": revision},
        },
        "jsonPayload": payload,
    }


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Running]:
    entries = [entry(minutes) for minutes in range(1, 41)]
    entries += [entry(minutes, "polyhead-2") for minutes in range(1, 11)]
    entries.append(logged({"message": "gone"}, "CRITICAL", 5, "polyhead-2"))
    entries.append(logged({"message": "starting"}, "INFO", 5, "polyhead-2"))
    entries.append(logged(line()["profile"], "INFO", 5, "other-1", service="other"))
    with running(entries, tmp_path) as started:
        yield started


def read(cloud: Running, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "profiling", "logs", "--endpoint", cloud.endpoint]
    command += ["--project", "testing", "--service", "polyhead", "--json", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **cloud.environment, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def requests(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    assert done.returncode == 0, done.stderr
    return {
        summary["revision"]: summary["requests"] for summary in json.loads(done.stdout)["revisions"]
    }


def test_all_pages_are_read(cloud: Running) -> None:
    cloud.service.page = 7
    done = read(cloud, "--since", "1h")
    assert requests(done) == {"polyhead-1": 40, "polyhead-2": 10}
    assert len(cloud.service.calls) == 8  # 51 entries: the crash is one of them
    assert [call.page_token for call in cloud.service.calls[:3]] == ["", "7", "14"]
    assert cloud.service.calls[0].resource_names == ["projects/testing"]
    assert cloud.service.calls[0].page_size == 1000
    second = json.loads(done.stdout)["revisions"][1]
    assert second["errors"]["messages"] == {"gone": 1}
    assert second["slowest"][0]["trace"].endswith(f"project=testing&tid={'e' * 32}")


def test_revisions_and_times_are_filtered_by_the_server(cloud: Running) -> None:
    done = read(cloud, "--since", "25m", "--until", "5m", "--revision", "polyhead-1")
    assert requests(done) == {"polyhead-1": 20}
    assert 'revision_name=("polyhead-1")' in cloud.service.calls[0].filter
    both = ["--revision", "polyhead-1", "--revision", "polyhead-2"]
    assert requests(read(cloud, "--since", "3m", *both)) == {
        "polyhead-1": 2,
        "polyhead-2": 2,
    }


def test_the_last_day_is_read_unless_told_otherwise(cloud: Running) -> None:
    cloud.service.entries.append(entry(60 * 25, "polyhead-0"))
    assert requests(read(cloud)) == {"polyhead-1": 40, "polyhead-2": 10}
    assert requests(read(cloud, "--since", "2d"))["polyhead-0"] == 1


def test_the_limit_is_kept_and_said(cloud: Running) -> None:
    done = read(cloud, "--limit", "5")
    assert requests(done) == {"polyhead-1": 5}
    assert "stopped at 5 entries; narrow --since" in done.stderr


def test_revisions_are_compared(cloud: Running) -> None:
    comparison = json.loads(read(cloud, "--compare", "polyhead-1", "polyhead-2").stdout)[
        "comparison"
    ]
    assert (comparison["a"], comparison["b"]) == ("polyhead-1", "polyhead-2")
    assert comparison["rows"][0]["n_a"] == 40
    wrong = read(cloud, "--compare", "polyhead-1", "polyhead-9")
    assert wrong.returncode == 1
    known = "no request; revisions read: polyhead-1, polyhead-2; times read: "
    assert f"error: --compare polyhead-9: {known}" in wrong.stderr


def test_what_passes_is_tried_again(cloud: Running) -> None:
    cloud.service.failures = dict.fromkeys((1, 2), (grpc.StatusCode.UNAVAILABLE, "a moment"))
    assert requests(read(cloud)) == {"polyhead-1": 40, "polyhead-2": 10}
    assert len(cloud.service.calls) == 3


@pytest.mark.parametrize(
    ("status", "problem", "advice"),
    [
        (
            grpc.StatusCode.PERMISSION_DENIED,
            "Permission 'logging.logEntries.list' denied",
            "needs roles/logging.viewer on the project testing",
        ),
        (grpc.StatusCode.NOT_FOUND, "Project not found", "check --project testing"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded", "wait a minute, or narrow --since"),
        (grpc.StatusCode.INVALID_ARGUMENT, "Unparseable filter", "Cloud Logging refused: 400"),
    ],
)
def test_errors_say_what_to_do(
    cloud: Running, status: grpc.StatusCode, problem: str, advice: str
) -> None:
    cloud.service.failures = {1: (status, problem)}
    done = read(cloud)
    assert done.returncode == 1
    assert done.stdout == ""
    assert problem in done.stderr
    assert advice in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_in_the_middle_is_not_half_an_answer(cloud: Running) -> None:
    cloud.service.page = 20
    cloud.service.failures = {2: (grpc.StatusCode.PERMISSION_DENIED, "no longer")}
    done = read(cloud)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no longer" in done.stderr
    assert len(cloud.service.calls) == 2


def test_whoever_calls_must_have_the_key(cloud: Running, tmp_path: Path) -> None:
    nobody = read(cloud, GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "none.json"))
    assert nobody.returncode == 1
    assert "no credentials; run: gcloud auth application-default login" in nobody.stderr
    other = tmp_path / "other"
    other.mkdir()
    with running([], other) as stranger:
        account = stranger.environment["GOOGLE_APPLICATION_CREDENTIALS"]
        forged = read(cloud, GOOGLE_APPLICATION_CREDENTIALS=account)
    assert forged.returncode == 1
    assert "Bad token" in forged.stderr
    assert "Traceback" not in forged.stderr


def test_nothing_found_is_an_error_that_says_where(cloud: Running) -> None:
    done = read(cloud, "--since", "1m", "--until", "1m")
    assert done.returncode == 1
    assert "polyhead in testing: no request and no error in 0 entries read" in done.stderr


def test_the_servers_own_lines_come_back_as_they_went(cloud: Running, cold_server: Server) -> None:
    """As Cloud Logging stores them: numbers become doubles, the special fields move."""
    cloud.service.entries.clear()
    for entry in cold_server.lines():
        entry.pop("time")
        trace = entry.pop("logging.googleapis.com/trace", None)
        entry.pop("logging.googleapis.com/spanId", None)
        stored = logged(entry, entry.pop("severity"), 1, "polyhead-7")
        cloud.service.entries.append(stored | ({"trace": trace} if trace else {}))
    (summary,) = json.loads(read(cloud).stdout)["revisions"]
    assert (summary["revision"], summary["requests"], summary["predictions"]) == (
        "polyhead-7",
        5,
        4,
    )
    assert summary["cold_starts"]["n"] == 1
    assert "import_onnxruntime" in summary["cold_starts"]["spans_ms"]
    assert summary["errors"]["requests_4xx"] == 1
    assert summary["slowest"][0]["trace"].endswith("project=testing&tid=" + "c" * 32)


@pytest.mark.parametrize(
    ("project", "service", "message"),
    [
        ('p" OR "', "polyhead", "--project 'p\" OR \"': give a project's id"),
        ("my-project", 'x"', "--service 'x\"': give the name of a Cloud Run service"),
    ],
)
def test_names_that_are_none(project: str, service: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        log_filter(project, service, Window())
