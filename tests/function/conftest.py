"""The real server, started in both ways."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.serving import WAYS, Server, serving


@pytest.fixture(scope="session", params=WAYS)
def server(
    request: pytest.FixtureRequest, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(bundle_path, log, request.param, GOOGLE_CLOUD_PROJECT="testing") as running:
        yield running


@pytest.fixture(scope="session")
def cold_log(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Lines of a server whose bundle was asked for by sixteen requests at once."""
    log = tmp_path_factory.mktemp("cold") / "log"
    with (
        serving(bundle_path, log, THREADS="16") as running,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = list(pool.map(running.ask, [{"inputs": "raw honey"}] * 16))
        assert [answer.status for answer in answers] == [200] * 16
        assert len({answer.body for answer in answers}) == 1
        running.ask({"inputs": "raw honey"})
        return running.lines()
