"""Spans for OpenTelemetry, beside those of other services.

Importing this module imports opentelemetry-sdk. The environment variables of opentelemetry
(OTEL_EXPORTER_OTLP_*, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER) mean what it documents; by default a
trace that the caller does not sample is not exported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from profiling.timer.spans import Session, Span

Caller = tuple[str, str, bool]
"""Trace id and span id in hexadecimal, and whether the caller records the trace."""
Attributes = Mapping[str, str | int]
NS_PER_MS = 1e6


class Exporter:
    """Sends sessions to a collector in the background, and what is left when the process ends."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        if os.environ.get("OTEL_SERVICE_NAME"):  # Resource.create lets ours win otherwise
            attributes = {key: attributes[key] for key in attributes if key != "service.name"}
        self._provider = TracerProvider(resource=Resource.create(dict(attributes)))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("polyhead")

    def export(self, session: Session, caller: Caller | None, attributes: Attributes) -> None:
        """Export the closed spans of an ended session; `attributes` go to the outermost.

        A session that goes on from the start of the server has several outermost spans; they get
        one around them, `cold_start`.
        """
        origin_ns = time.time_ns() - session.elapsed_ms * NS_PER_MS
        closed = [span for span in session.spans if span.duration_ms is not None]
        around = _context(caller)
        top = [span for span in closed if span.parent is None]
        if len(top) > 1:
            end_ms = max(span.end_ms for span in top)
            whole = Span("cold_start", top[0].start_ms, end_ms - top[0].start_ms)
            around = self._send(whole, around, origin_ns, attributes)
        contexts: dict[Span | None, Context] = {None: around}
        for span in closed:
            outer = contexts.get(span.parent, around)
            contexts[span] = self._send(span, outer, origin_ns, {} if span.parent else attributes)

    def _send(
        self, span: Span, context: Context, origin_ns: float, attributes: Attributes
    ) -> Context:
        sent = self._tracer.start_span(
            span.name,
            context,
            SpanKind.INTERNAL if span.parent else SpanKind.SERVER,
            dict(attributes),
            start_time=round(origin_ns + span.start_ms * NS_PER_MS),
        )
        if span.error is not None:
            sent.set_status(Status(StatusCode.ERROR, span.error))
        sent.end(round(origin_ns + span.end_ms * NS_PER_MS))
        return set_span_in_context(sent, Context())


def _context(caller: Caller | None) -> Context:
    if caller is None:
        return Context()
    trace_id, span_id, sampled = caller
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    remote = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(remote), Context())
