"""A real server whose lines are read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving import Server, serving


@pytest.fixture(scope="session")
def cold_server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """It answered a cold request, three warm ones and a wrong one, and has ended."""
    log = tmp_path_factory.mktemp("cold") / "log"
    with serving(bundle_path, log, K_REVISION="r9", GOOGLE_CLOUD_PROJECT="testing") as running:
        for _ in range(4):
            running.ask({"inputs": "raw honey"}, traceparent=f"00-{'c' * 32}-{'d' * 16}-00")
        running.ask({"input": "raw honey"})
    return running
