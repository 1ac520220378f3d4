"""The gcloud lines that are documented, given to the real gcloud.

Without credentials a right line fails after it was parsed, an unknown flag while parsing. With a
token and a stand-in of the API on localhost, what gcloud sends and reads is seen as well.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from profiling.logs.cloud import log_filter
from profiling.logs.source import Window
from tests.docs_text import PAGES
from tests.serving import ROOT, Server

GCLOUD = shutil.which("gcloud")
pytestmark = [
    pytest.mark.gcloud,
    pytest.mark.skipif(GCLOUD is None, reason="gcloud is not installed on this machine"),
]
CONSOLE = ROOT / "profiling" / "console"
PARSING = 2
"""Exit status of a line that gcloud does not understand; 1: it could not carry it out."""
ONLY_WHERE_TRUE = ("profile.instance.restart",)
"""Fields that a line may be without."""


def documented() -> list[list[str]]:
    """Every `gcloud logging` command in docs/observe.md, as words, up to a pipe."""
    text = PAGES["docs/observe.md"].replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    commands = [line for line in lines if line.startswith("gcloud logging")]
    return [shlex.split(line.partition(" | ")[0]) for line in commands]


def gcloud(words: list[str], config: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=ROOT,
        env={
            **os.environ,
            "CLOUDSDK_CONFIG": str(config),
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            **settings,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_the_docs_have_lines_to_parse() -> None:
    verbs = {tuple(words[:3]) for words in documented()}
    assert verbs == {("gcloud", "logging", "read"), ("gcloud", "logging", "metrics")}


@pytest.mark.parametrize("words", documented(), ids=lambda words: words[-1][:40])
def test_a_documented_line_is_parsed(words: list[str], tmp_path: Path) -> None:
    right = gcloud(words, tmp_path)
    assert right.returncode == 1, right.stderr
    assert "You do not currently have an active account selected" in right.stderr
    wrong = gcloud([*words, "--no-such-flag"], tmp_path)
    assert wrong.returncode == PARSING
    assert "unrecognized arguments: --no-such-flag" in wrong.stderr


class Api(ThreadingHTTPServer):
    """The part of Cloud Logging's REST interface that the lines use; it keeps what it was sent."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.entries = entries
        self.seen: list[tuple[str, dict[str, Any]]] = []


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Authorization"] == "Bearer a-token-for-a-test"
        path = self.path.partition("?")[0]
        self.server.seen.append((path, sent))
        answer = {"entries": self.server.entries} if path == "/v2/entries:list" else sent
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def api(cold_server: Server) -> Iterator[Api]:
    entries = [
        {
            "insertId": str(number),
            "timestamp": payload.pop("time").replace("+00:00", "123Z"),
            "severity": payload.pop("severity"),
            "resource": {
                "type": "cloud_run_revision",
                "labels": {"service_name": "polyhead", "revision_name": "polyhead-00001-abc"},
            },
            "jsonPayload": payload,
        }
        for number, payload in enumerate(cold_server.lines())
    ]
    with Api(entries) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def with_api(api: Api, folder: Path) -> dict[str, str]:
    token = folder / "token"
    token.write_text("a-token-for-a-test")
    return {
        **{
            f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": f"http://127.0.0.1:{api.server_port}/"
            for name in ("LOGGING", "MONITORING")
        },
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
    }


def test_what_gcloud_reads_can_be_piped_on(api: Api, tmp_path: Path) -> None:
    (words,) = [words for words in documented() if "--order=asc" in words]
    read = gcloud(words, tmp_path, **with_api(api, tmp_path))
    assert read.returncode == 0, read.stderr
    done = subprocess.run(
        [sys.executable, "-m", "profiling", "logs", "--file", "-", "--json"],
        cwd=ROOT,
        input=read.stdout,
        capture_output=True,
        text=True,
        check=True,
    )
    (revision,) = json.loads(done.stdout)["revisions"]
    assert (revision["revision"], revision["predictions"]) == ("polyhead-00001-abc", 4)
    assert revision["cold_starts"]["n"] == 1
    path, sent = api.seen[0]
    assert path == "/v2/entries:list"
    assert "jsonPayload.profile:*" in sent["filter"]


def test_what_gcloud_reads_says_whether_the_answers_change(api: Api, tmp_path: Path) -> None:
    (words,) = [words for words in documented() if "profile.answers" in words[3]]
    read = gcloud(words, tmp_path, **with_api(api, tmp_path))
    assert read.returncode == 0, read.stderr
    done = subprocess.run(
        [sys.executable, "-m", "profiling", "logs", "--file", "-", "--json", "--drift"],
        cwd=ROOT,
        input=read.stdout,
        capture_output=True,
        text=True,
        check=True,
    )
    (drift,) = json.loads(done.stdout)["drift"]
    assert (drift["requests"], drift["texts"]) == ([4], [4])
    assert {row["topic"] for row in drift["shares"]} >= {"pieces", "source labels"}


def test_what_gcloud_prints_unless_told_otherwise_is_refused(api: Api, tmp_path: Path) -> None:
    (words,) = [words for words in documented() if "--order=asc" in words]
    words.remove("--format=json")
    read = gcloud(words, tmp_path, **with_api(api, tmp_path))
    assert "jsonPayload:" in read.stdout
    done = subprocess.run(
        [sys.executable, "-m", "profiling", "logs", "--file", "-"],
        cwd=ROOT,
        input=read.stdout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "add --format=json to `gcloud logging read`" in done.stderr


def test_what_gcloud_makes_of_the_metrics(api: Api, cold_server: Server, tmp_path: Path) -> None:
    payload = [line for line in cold_server.lines() if line["profile"]["status"] == 200][-1]
    for words in documented():
        if words[2] == "metrics":
            made = gcloud(words, tmp_path, **with_api(api, tmp_path))
            assert made.returncode == 0, made.stderr
    assert {path for path, _ in api.seen} == {"/v2/projects/my-project/metrics"}
    metrics = {sent["name"]: sent for _, sent in api.seen}
    assert set(metrics) == {f"polyhead_{path.stem}" for path in CONSOLE.glob("*.yaml")}
    for name, metric in metrics.items():
        descriptor = metric["metricDescriptor"]
        labels = {label["key"] for label in descriptor.get("labels", [])}
        assert labels == set(metric["labelExtractors"]), name
        assert ("valueExtractor" in metric) == (descriptor["valueType"] == "DISTRIBUTION"), name
        assert ("bucketOptions" in metric) == ("valueExtractor" in metric), name
        extractors = [*metric["labelExtractors"].values(), metric.get("valueExtractor", "")]
        for field in re.findall(
            r"jsonPayload\.([a-z_.]+)", " ".join([*extractors, metric["filter"]])
        ):
            assert field in ONLY_WHERE_TRUE or lookup(payload, field) is not None, field


READ = """
import json, sys
from apitools.base.protorpclite.messages import Message
from apitools.base.py import encoding
from googlecloudsdk.generated_clients.apis.logging.v2.logging_v2_messages import SavedQuery
from googlecloudsdk.generated_clients.apis.monitoring.v3.monitoring_v3_messages import AlertPolicy

def check(message):
    assert not message.all_unrecognized_fields(), message.all_unrecognized_fields()
    for field in message.all_fields():
        value = getattr(message, field.name)
        for part in value if field.repeated else [value]:
            if isinstance(part, Message):
                check(part)

read = encoding.DictToMessage(json.load(sys.stdin), globals()[sys.argv[1]])
read.check_initialized()
check(read)
print(encoding.MessageToJson(read))
"""


def as_gcloud_reads(name: str, document: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    """A document, read into gcloud's own type of this name and written again."""
    info = json.loads(gcloud(["gcloud", "info", "--format=json"], folder).stdout)
    library = Path(info["installation"]["sdk_root"]) / "lib"
    path = f"{library}{os.pathsep}{library / 'third_party'}"
    return subprocess.run(
        [info["basic"]["python_location"], "-c", READ, name],
        env={**os.environ, "PYTHONPATH": path},
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_saved_query_is_one_in_gclouds_own_types(cold_server: Server, tmp_path: Path) -> None:
    written = json.loads((CONSOLE / "query.json").read_text("utf-8"))
    done = as_gcloud_reads("SavedQuery", written, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == written
    assert written["loggingQuery"]["filter"] == log_filter("my-project", "polyhead", Window())
    for summary in written["loggingQuery"]["summaryFields"]:
        field = summary["field"].removeprefix("jsonPayload.")
        assert (
            field.startswith("resource.") or lookup(cold_server.last_line(), field) is not None
        ), field


def lookup(entry: Any, path: str) -> Any:
    for key in path.split("."):
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry
