"""The classifier, loaded once: by the first request that needs it, or at the start."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from model.bundle import HASHED, MANIFEST, Bundle, BundleError, read_bundle
from model.stamps import stamps
from profiling.timer import startup, timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from model.classifier import Classifier
    from model.stamps import Stamps

LOOK_S = 5.0
"""How often the files of a bundle that answers are looked at."""


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
        self._stamps: Stamps = {}
        """Of the bundle's files, as they were loaded or last looked at."""
        self._looked_s = 0.0
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
                self._stamps = self._stamps_now()
                return Classifier(bundle, self._threads, sealed=True)
        self._stamps = self._stamps_now()
        classifier = Classifier.load(self._path, self._threads)
        if self._stamps_now() != self._stamps:
            raise BundleError(self._path, "its files were changed while they were loaded")
        return classifier

    def _stamps_now(self) -> Stamps:
        return stamps(self._path / name for name in (MANIFEST, *HASHED))

    def changed_files(self) -> tuple[str, str] | None:
        """Severity and message when somebody changed the files of the bundle that answers.

        It goes on answering, out of memory. Looks every LOOK_S, and says each change once.
        """
        classifier, now_s = self._classifier, time.monotonic()
        if classifier is None or now_s < self._looked_s + LOOK_S:
            return None
        self._looked_s = now_s
        seen = self._stamps_now()
        if seen == self._stamps:
            return None
        self._stamps = seen
        in_use = f"{classifier.bundle.identity}, which was loaded before, goes on answering"
        try:
            bundle = read_bundle(self._path)
        except BundleError as error:
            return "ERROR", f"{error}; {in_use}"
        if bundle.digest == classifier.bundle.digest:
            return None
        return "WARNING", f"{self._path}: holds {bundle.identity} now; {in_use} until a restart"

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
