"""The classifier, loaded once: by the first request that needs it, or at the start."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import Bundle, read_bundle
from profiling.timer import startup, timer

if TYPE_CHECKING:
    from model.classifier import Classifier


class LazyClassifier:
    """Reads the bundle when `get` or `manifest` needs it; the next call retries a failed load.

    A server may fork its worker after it imported the handler, so importing starts no thread.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._threads = threads
        self._lock = threading.Lock()
        self._classifier: Classifier | None = None
        self._manifest: Bundle | None = None
        self.requested = False
        """Whether a request has used it: the first is part of a cold start, whoever loaded."""

    @property
    def loaded(self) -> bool:
        return self._classifier is not None

    @property
    def identity(self) -> str | None:
        """`name@digest` of the bundle in use; None before one was read."""
        bundle = self._classifier.bundle if self._classifier else self._manifest
        return bundle.identity if bundle else None

    def get(self) -> Classifier:
        """The classifier; raises BundleError. The span is `load` for one caller, else `wait`."""
        if self._classifier is not None:
            return self._classifier
        with timer.span("wait"):
            self._lock.acquire()
        try:
            if self._classifier is None:
                self._classifier = self._load()
            return self._classifier
        finally:
            self._lock.release()

    def manifest(self) -> Bundle:
        """The verified bundle, without loading its graph; raises BundleError."""
        if self._classifier is not None:
            return self._classifier.bundle
        with self._lock:
            if self._manifest is None:
                with timer.span("verify"):
                    self._manifest = read_bundle(self._path)
            return self._manifest

    @timer.span("load")
    def _load(self) -> Classifier:
        startup.hand_over(timer.current)  # before those who wait for this one
        with timer.span("import_numpy"):
            from model.classifier import Classifier
        return Classifier.load(self._path, self._threads)
