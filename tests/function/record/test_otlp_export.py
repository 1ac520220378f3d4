"""Spans on their way to a collector: a real endpoint on localhost, opentelemetry's own protocol."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from tests.serving import ROOT, serving

pytestmark = pytest.mark.slow
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


class Collector(ThreadingHTTPServer):
    """Takes POST /v1/traces as the OTLP specification has it, and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.resources: list[ResourceSpans] = []

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for resource in self.resources
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/traces"
        assert self.headers["Content-Type"] == "application/x-protobuf"
        self.server.resources += ExportTraceServiceRequest.FromString(body).resource_spans
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_collector_gets_what_the_log_says(
    way: str, collector: Collector, bundle_path: Path, tmp_path: Path
) -> None:
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "K_SERVICE": "tasty", "K_REVISION": "r7"}
    with serving(bundle_path, tmp_path / "log", way, **settings) as server:
        server.ask({"inputs": "salt"}, traceparent=f"00-{TRACE}-{CALLER}-01")
        server.ask({"inputs": "salt"}, traceparent=f"00-{TRACE}-{CALLER}-00")
        server.ask({"inputs": "salt"})
        cold, _, warm = server.lines()
    # The server has ended: what was left in its queue came on the way out.
    spans = collector.spans
    ours = {span.span_id for span in spans if span.trace_id.hex() == TRACE}
    first = [span for span in spans if span.span_id in ours]
    last = [span for span in spans if span.span_id not in ours]
    logged = [span["name"] for span in cold["profile"]["spans"]]
    assert [span.name for span in first] == ["cold_start", *logged]
    assert [span.name for span in last] == [span["name"] for span in warm["profile"]["spans"]]
    assert first[0].parent_span_id.hex() == CALLER
    assert last[0].parent_span_id == b""
    by_name = {span.name: span for span in first}
    assert by_name["framework"].parent_span_id == by_name["cold_start"].span_id
    assert by_name["run"].parent_span_id == by_name["request"].span_id
    assert by_name["session"].parent_span_id == by_name["load"].span_id
    for row, span in zip(warm["profile"]["spans"], last, strict=True):
        took_ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
        assert took_ms == pytest.approx(row["duration_ms"], abs=0.001)
        since_ms = (span.start_time_unix_nano - last[0].start_time_unix_nano) / 1e6
        began_ms = row["start_ms"] - warm["profile"]["spans"][0]["start_ms"]
        assert since_ms == pytest.approx(began_ms, abs=0.002)
    resource = {
        attribute.key: attribute.value.string_value
        for attribute in collector.resources[0].resource.attributes
    }
    assert (resource["service.name"], resource["service.version"]) == ("tasty", "r7")


def test_a_collector_that_is_away_costs_no_answer(
    way: str, bundle_path: Path, tmp_path: Path
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_EXPORT_TIMEOUT": "1"}
    settings["OTEL_EXPORTER_OTLP_TIMEOUT"] = "1"
    with serving(bundle_path, tmp_path / "log", way, **settings) as server:
        assert [server.ask({"inputs": "salt"}).status for _ in range(3)] == [200] * 3


WITHOUT = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
import functions_framework
client = functions_framework.create_app("classify", "main.py").test_client()
for _ in range(2):
    assert client.get("/health").status_code == 200
"""


def test_without_the_library_the_log_says_what_to_add() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=ROOT,
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("opentelemetry-exporter-otlp-proto-http to requirements.in") == 1
