"""The soak command, for real, on a few hundred requests."""

from __future__ import annotations

import json
from pathlib import Path

from profiling.bench.soak import MAX_JOINED, MAX_TEXTS, mixed
from tests.profiling.command import run


def test_the_mix_has_short_and_long_texts_and_lists() -> None:
    requests = mixed(["raw honey", "tofu"], 1000)
    assert requests == mixed(["raw honey", "tofu"], 1000)
    alone = [request[0] for request in requests if len(request) == 1]
    assert 0.7 < sum(text in ("raw honey", "tofu") for text in alone) / len(requests) < 0.9
    assert max(map(len, alone)) > MAX_JOINED
    assert 1 < max(map(len, requests)) <= MAX_TEXTS


def test_memory_is_told_on_the_way(tmp_path: Path) -> None:
    done = run("soak", "--requests", "200", "--out", str(tmp_path))
    report = json.loads((tmp_path / "soak.json").read_text())
    assert done.returncode == (1 if report["grown"] > 1.1 else 0), done.stderr
    assert [row["requests"] for row in report["rows"]] == [20 * part for part in range(1, 11)]
    assert all(row["memory_mb"] > 20 and row["errors"] == 0 for row in report["rows"])
    assert (tmp_path / "soak.md").read_text() == done.stdout
