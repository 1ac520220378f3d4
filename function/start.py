"""Start the function as the image does, so that its first answer comes soon.

    python -m function.start           # listens on $HOST and $PORT

It is functions-framework's own application behind its own server, gunicorn, as its command line
makes them; what that command line has no option for is done around it:

- the bundle is loaded in a thread while the framework is imported: hashing and opening the graph
  let go of Python's lock. The thread is joined before gunicorn forks its worker, so that master
  and worker share the memory. Deployed from source, without this module, the first request loads.
- gunicorn's control socket is left out. Nothing here talks to it, and it would start an asyncio
  loop in the master just when the worker answers its first request.
- malloc keeps one heap instead of one per thread, so what one burst of requests has freed serves
  the next.
- nothing is collected while modules load, and what they left is frozen, so that no collection
  copies the pages that master and worker share.

profiling/LOG.md has what each of these is worth.
"""

from __future__ import annotations

import gc

gc.disable()

from profiling.timer import startup, timer  # noqa: E402, I001 (first: it marks the start)

import ctypes  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from contextlib import suppress  # noqa: E402
from pathlib import Path  # noqa: E402

from function.http.loading import LazyClassifier  # noqa: E402
from function.settings import Settings, SettingsError  # noqa: E402
from model.bundle import BundleError  # noqa: E402

# numpy's BLAS starts a thread per processor, and onnxruntime does the work here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

M_ARENA_MAX = -8  # malloc.h
MAIN = Path(__file__).resolve().parent.parent / "main.py"


def main() -> None:
    """Serve until a signal ends the process."""
    if sys.argv[1:]:  # argparse would cost every start the time of its import
        print(f"{__doc__}\nIt takes no arguments. {Settings.__doc__}")
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)
    try:
        settings = Settings.from_mapping(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    with suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    startup.mark_forks()
    classifier = LazyClassifier(settings.bundle, settings.threads)
    loading = threading.Thread(target=preload, args=(classifier, settings.threads))
    loading.start()
    with timer.session(startup):
        with timer.span("import_framework"):
            from functions_framework import create_app
            from functions_framework._http import create_server
        app = create_app("classify", str(MAIN))  # type: ignore[no-untyped-call]  # it has no types
        from function.http import handler

        with timer.span("wait"):
            loading.join()
    handler.use(classifier)
    server = create_server(  # type: ignore[no-untyped-call]
        app, False, control_socket_disable=True
    )
    gc.freeze()
    gc.enable()
    server.run(settings.host, settings.port)


def preload(classifier: LazyClassifier, threads: int) -> None:
    """Load the bundle; a failed load is retried by the first request, which reports the failure.

    Threads that share a run would not survive the fork, so with more than one nothing is loaded.
    """
    if threads == 1:
        with suppress(BundleError), timer.session(startup):
            classifier.get()


if __name__ == "__main__":
    main()
