"""What tests of every folder need: the shipped bundle, and a watch on spans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model.classifier import Classifier
from profiling.timer import Session, timer

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def bundle_path() -> Path:
    return ROOT / "model" / "ingredients"


@pytest.fixture(scope="session")
def classifier(bundle_path: Path) -> Classifier:
    return Classifier.load(bundle_path)


@pytest.fixture(autouse=True)
def session() -> Iterator[Session]:
    """Every test runs in a timer session of its own, and may leave no span open in it."""
    with timer.session() as session:
        yield session
    assert all(span.duration_ms is not None for span in session.spans)
