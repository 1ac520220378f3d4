"""The same spans for OpenTelemetry, when an OTLP endpoint is set and not otherwise.

opentelemetry is imported by the first request and never without an endpoint. It is no requirement
of the function: requirements-profiling.txt has the two packages to add.
"""

from __future__ import annotations

import os
import threading

from function.record.line_output import log_lines
from function.record.log import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.record.trace_context import Trace
    from function.settings import Settings
    from profiling.timer import Session
    from profiling.timer.otlp import Exporter


class OtlpExport:
    """Exports sessions if an endpoint is set. A collector that fails costs nobody the answer."""

    def __init__(self, settings: Settings) -> None:
        self._enabled = settings.otlp
        self._attributes = {
            "service.name": os.environ.get("K_SERVICE", "polyhead"),
            "service.version": settings.revision or "",
        }
        self._lock = threading.Lock()
        self._exporter: Exporter | None = None

    def export(self, session: Session, trace: Trace | None, message: str, status: int) -> None:
        """Hand the session over; it leaves in the background. Never raises."""
        if not (self._enabled and session.detailed):
            return
        caller = None
        if trace is not None and trace.span_id is not None:
            caller = (trace.trace_id, trace.span_id, trace.sampled)
        attributes: dict[str, str | int] = {
            "message": message,
            "http.response.status_code": status,
        }
        try:
            self._get().export(session, caller, attributes)
        except ModuleNotFoundError as error:
            self._give_up(
                f"an OTLP endpoint is set, but {error.name} is not installed; add "
                "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http to "
                "requirements.in, type `make lock`, or unset OTEL_EXPORTER_OTLP_ENDPOINT"
            )
        except Exception as error:  # settings of its own may be wrong, or a version not fit
            self._give_up(
                f"opentelemetry failed ({type(error).__qualname__}: {error}); correct the OTEL_* "
                "variables, or unset OTEL_EXPORTER_OTLP_ENDPOINT"
            )

    def _get(self) -> Exporter:
        with self._lock:
            if self._exporter is None:
                from profiling.timer.otlp import Exporter

                self._exporter = Exporter(self._attributes)
            return self._exporter

    def _give_up(self, reason: str) -> None:
        with self._lock:
            if not self._enabled:
                return
            self._enabled = False
        message = f"no spans are exported: {reason}"
        log_lines.write({"time": now(), "severity": "ERROR", "message": message})
