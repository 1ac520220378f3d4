"""Real servers whose lines are read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving import Server, serving


def cold_start(bundle: Path, log: Path, way: str) -> Server:
    """It answered a cold request, three warm ones and a wrong one, and has ended."""
    settings = {"K_REVISION": "r9", "GOOGLE_CLOUD_PROJECT": "testing"}
    with serving(bundle, log, way, **settings) as running:
        for _ in range(4):
            running.ask({"inputs": "raw honey"}, traceparent=f"00-{'c' * 32}-{'d' * 16}-00")
        running.ask({"input": "raw honey"})
    return running


@pytest.fixture(scope="session")
def cold_server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Started from source: the first request loads the bundle."""
    return cold_start(bundle_path, tmp_path_factory.mktemp("cold") / "log", "source")


@pytest.fixture(scope="session")
def eager_server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Started as the image is: the bundle is loaded beside the framework's import."""
    return cold_start(bundle_path, tmp_path_factory.mktemp("eager") / "log", "image")
