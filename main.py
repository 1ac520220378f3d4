"""Where functions-framework and source deploys look for the handler."""

from profiling.timer import startup, timer

startup.mark_forks()
with timer.session(startup), timer.span("import_handler"):
    from function.http.handler import classify

__all__ = ["classify"]
