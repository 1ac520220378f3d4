"""The instances command, for real: one second of load on one, two and three servers."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

from profiling.bench.instances import balanced
from profiling.server import serving
from tests.profiling.command import run


def test_one_two_and_three_instances_answer_everything(tmp_path: Path) -> None:
    done = run("instances", "--seconds", "1", "--users", "4", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "instances.json").read_text())
    rows = report["rows"]
    assert [row["instances"] for row in rows] == [1, 2, 3]
    for row in rows:
        assert row["errors"] == 0
        assert row["requests"] > 0
        assert 0 < row["p50_ms"] <= row["p99_ms"]
    assert (tmp_path / "instances.md").read_text() == done.stdout
    assert f"| 1 | {rows[0]['requests']} | {rows[0]['per_s']} | " in done.stdout
    assert "| 0 | 1.00x |" in done.stdout
    assert "4 callers at once" in done.stdout


def test_a_bundle_that_is_not_there_is_named() -> None:
    done = run("instances", "--bundle", "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_connections_go_to_the_instance_with_the_fewest(bundle_path: Path, tmp_path: Path) -> None:
    with (
        serving(bundle_path, tmp_path / "one") as one,
        serving(bundle_path, tmp_path / "two") as two,
        balanced([one.port, two.port]) as address,
    ):
        connections = [
            http.client.HTTPConnection(address.removeprefix("http://")) for _ in range(4)
        ]
        for connection in connections:  # all are open at once
            connection.request("POST", "/", json.dumps({"inputs": "raw honey"}))
            response = connection.getresponse()
            assert response.status == 200
            response.read()
        predictions = [
            sum(line.get("profile", {}).get("route") == "POST /" for line in server.lines())
            for server in (one, two)
        ]
        for connection in connections:
            connection.close()
    assert predictions == [2, 2]
