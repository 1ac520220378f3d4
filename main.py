"""Where functions-framework and source deploys look for the handler."""

from profiling.timer import startup, timer

with timer.session(startup), timer.span("import_handler"):
    from function.http.handler import classify, workers
startup.mark_forks(workers)

__all__ = ["classify"]
