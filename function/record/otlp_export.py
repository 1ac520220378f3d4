"""The same spans for OpenTelemetry, when an OTLP endpoint is set and not otherwise.

opentelemetry is imported by the first request and never without an endpoint. It is no requirement
of the function: requirements-profiling.txt has the two packages to add.
"""

from __future__ import annotations

import os
import threading

from function.record.log import now, write_line

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
        """Hand the session over; it leaves in the background."""
        if self._enabled and session.detailed and (exporter := self._get()):
            caller = None
            if trace is not None and trace.span_id is not None:
                caller = (trace.trace_id, trace.span_id, trace.sampled)
            attributes: dict[str, str | int] = {
                "message": message,
                "http.response.status_code": status,
            }
            exporter.export(session, caller, attributes)

    def _get(self) -> Exporter | None:
        with self._lock:
            if self._exporter is None and self._enabled:
                try:
                    from profiling.timer.otlp import Exporter

                    self._exporter = Exporter(self._attributes)
                except ModuleNotFoundError as error:
                    self._enabled = False
                    message = (
                        f"no spans are exported: an OTLP endpoint is set, but {error.name} is not "
                        "installed; add opentelemetry-sdk and "
                        "opentelemetry-exporter-otlp-proto-http to requirements.txt, or unset "
                        "OTEL_EXPORTER_OTLP_ENDPOINT"
                    )
                    write_line({"time": now(), "severity": "ERROR", "message": message})
            return self._exporter
