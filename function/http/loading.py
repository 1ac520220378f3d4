"""The classifier, loaded once: by the first request that needs it, or at the start."""

from __future__ import annotations

import threading
from pathlib import Path

from model.bundle import Bundle, BundleError, read_bundle
from profiling.timer import startup, timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from model.classifier import Classifier


class LazyClassifier:
    """Reads the bundle when `get` or `manifest` needs it; the next call retries a failed load.

    A server may fork its worker after it imported the handler, so importing starts no thread.
    """

    def __init__(self, path: Path, threads: int, *, trusts_seal: bool = False) -> None:
        """With `trusts_seal`, what was sealed (model/seal.py) is loaded at once and verified by
        `verify_sealed`; else everything is verified while it is loaded."""
        self._path = path
        self._threads = threads
        self._trusts_seal = trusts_seal
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

    @property
    def graph(self) -> str | None:
        """Which graph answers: the optimized `copy`, or that of the `bundle`; None: none yet."""
        if self._classifier is None:
            return None
        return "copy" if self._classifier.opened_copy else "bundle"

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
        with timer.span("import_model"):
            from model.classifier import Classifier

        if self._trusts_seal:
            from model.seal import sealed_bundle

            with timer.span("verify"):
                bundle = sealed_bundle(self._path)
            if bundle is not None:
                return Classifier(bundle, self._threads, sealed=True)
        return Classifier.load(self._path, self._threads)

    def verify_sealed(self) -> str | None:
        """After the first answer: verify what a seal spared the start; what is wrong, or None.

        Then the next request loads anew, without trust: it verifies, and names the damage.
        """
        with self._lock:
            classifier = self._classifier
            if not self._trusts_seal or classifier is None or not self.requested:
                return None
            self._trusts_seal = False
        if not classifier.sealed:
            return None
        from model.seal import verify_again

        try:
            verify_again(classifier.bundle)
        except BundleError as error:
            with self._lock:
                self._classifier = self._manifest = None
            return str(error)
        return None
