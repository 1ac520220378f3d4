"""Listen, load, answer: the process of the image.

One thing after the other: threads that load and import beside each other share one heap and
Python's lock, and gain nothing (profiling/LOG.md). The socket listens first, so that a client that
comes meanwhile waits instead of being refused.
"""

from __future__ import annotations

import gc

gc.disable()  # nothing is collected while modules load

from profiling.timer import startup, timer  # noqa: E402, I001 (first: it marks the start)

import ctypes  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
from contextlib import suppress  # noqa: E402

from function.http.loading import LazyClassifier  # noqa: E402
from function.settings import Settings, SettingsError  # noqa: E402
from model.bundle import BundleError  # noqa: E402

# numpy's BLAS starts a thread per processor, and onnxruntime does the work here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BACKLOG = 1024
SWITCH_S = 0.0005
"""A thread that comes back from a run of the graph gets Python's lock so soon, not after 5 ms."""
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
        try:
            listener = listen(settings.host, settings.port)
        except OSError as error:
            sys.exit(f"port {settings.port} of {settings.host}: {error.strerror or error}")
        classifier = LazyClassifier(settings.bundle, settings.threads, trusts_seal=True)
        with suppress(BundleError):  # the first request tries again, and reports it
            classifier.get()
        with timer.span("import_handler"):
            from function.http.endpoint import Endpoint
        with timer.span("import_server"):
            from function.http.image_server import ImageServer
        with timer.span("boot"):
            server = ImageServer(Endpoint(settings, classifier), listener, settings.max_bytes)
    gc.freeze()
    gc.enable()
    sys.setswitchinterval(SWITCH_S)
    server.serve()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: clients may connect from now on, and wait. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener
