"""Loading happens late and once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from function.http.loading import LazyClassifier
from model.bundle import BundleError
from model.classifier import Classifier
from profiling.timer import timer


def test_sixteen_threads_load_once(bundle_path: Path) -> None:
    lazy = LazyClassifier(bundle_path, threads=1)
    assert not lazy.loaded
    start = threading.Barrier(16)
    classifiers: list[Classifier] = []
    spans: list[str] = []

    def ask() -> None:
        with timer.session() as session:
            start.wait()
            classifiers.append(lazy.get())
        spans.extend(span.name for span in session.spans)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(classifiers) == 16
    assert len({id(classifier) for classifier in classifiers}) == 1
    assert (spans.count("load"), spans.count("session")) == (1, 1)
    assert lazy.loaded


def test_the_manifest_needs_no_graph(bundle_path: Path) -> None:
    lazy = LazyClassifier(bundle_path, threads=1)
    assert lazy.identity is None
    bundle = lazy.manifest()
    assert lazy.manifest() is bundle
    assert lazy.identity == bundle.identity
    assert not lazy.loaded


def test_a_failure_is_tried_again(bundle_path: Path, tmp_path: Path) -> None:
    lazy = LazyClassifier(tmp_path / "late", threads=1)
    with pytest.raises(BundleError, match="late: no such directory"):
        lazy.get()
    with pytest.raises(BundleError, match="late: no such directory"):
        lazy.manifest()
    (tmp_path / "late").symlink_to(bundle_path)
    assert lazy.get().bundle.identity == lazy.manifest().identity
