"""Listen, load, answer: the process of the image.

The bundle is loaded in a thread while the server is imported, for opening the graph lets go of
Python's lock. The server listens meanwhile: who asks for an answer waits for the bundle, who asks
for /health does not.
"""

from __future__ import annotations

import gc

gc.disable()  # nothing is collected while modules load

from profiling.timer import startup, timer  # noqa: E402, I001 (first: it marks the start)

import ctypes  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from contextlib import suppress  # noqa: E402

from function.settings import Settings, SettingsError  # noqa: E402
from model.bundle import BundleError  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.loading import LazyClassifier

# numpy's BLAS starts a thread per processor, and onnxruntime does the work here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

M_ARENA_MAX = -8  # malloc.h: one heap serves all threads, so that what a burst has freed is reused


def main(arguments: list[str], usage: str) -> None:
    """Serve until a signal ends the process; `usage` is printed when there are arguments."""
    if arguments:  # argparse would cost every start the time of its import
        print(f"{usage}\nIt takes no arguments. {Settings.__doc__}")
        sys.exit(0 if arguments[0] in ("-h", "--help") else 2)
    try:
        settings = Settings.from_mapping(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    with suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    with timer.session(startup):
        with timer.span("import_handler"):
            from function.http.endpoint import Endpoint
        endpoint = Endpoint(settings, trusts_seal=True)
        threading.Thread(target=load, args=(endpoint.service.classifier,), daemon=True).start()
        with timer.span("import_server"):
            from function.http.image_server import ImageServer, listen
        with timer.span("boot"):
            try:
                listener = listen(settings.host, settings.port)
            except OSError as error:
                sys.exit(f"port {settings.port} of {settings.host}: {error.strerror or error}")
            server = ImageServer(endpoint, listener, settings.max_bytes)
    server.serve()


def load(classifier: LazyClassifier) -> None:
    """Load the bundle; a failed load is retried by the first request, which reports the failure."""
    with suppress(BundleError), timer.session(startup):
        classifier.get()
    gc.freeze()
    gc.enable()
