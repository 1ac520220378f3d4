"""The real server, started in both ways."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.serving import WAYS, Server, serving


@pytest.fixture(scope="session", params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How the function is started: as the image does, and as a deployment from source does."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def server(
    way: str, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(bundle_path, log, way, GOOGLE_CLOUD_PROJECT="testing") as running:
        yield running


@pytest.fixture(scope="session")
def cold_log(
    way: str, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Lines of a server whose first sixteen requests come at once."""
    log = tmp_path_factory.mktemp("cold") / "log"
    with (
        serving(bundle_path, log, way, THREADS="16") as running,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = list(pool.map(running.ask, [{"inputs": "raw honey"}] * 16))
        assert [answer.status for answer in answers] == [200] * 16
        assert len({answer.body for answer in answers}) == 1
        running.ask({"inputs": "raw honey"})
        return running.lines()
