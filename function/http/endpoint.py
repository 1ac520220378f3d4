"""One request from its head to its response and its log line, the same in every way of starting."""

from __future__ import annotations

from function.http.compression import MIN_BYTES, accepts_gzip, deflate
from function.http.service import RequestFacts, Service
from function.record.line_output import log_lines
from function.record.log import Instance, now, rss_mb, trace_fields
from function.record.otlp_export import OtlpExport
from function.record.trace_context import is_sampled, read_trace
from profiling.timer import server_timing, span_rows, startup, timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.errors import RequestError
    from function.http.loading import LazyClassifier
    from function.http.request import Request
    from function.http.service import Reply
    from function.record.trace_context import Trace
    from function.settings import Settings
    from profiling.timer import Session

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
PROFILE_FORMAT = 2
"""Format of a line's `profile`: 2 has the parents of spans, lines before it have no format."""


class HttpResponse:
    """What goes back to the client."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Answered:
    """A request with its answer, and what its line will say."""

    def __init__(
        self,
        request: Request,
        response: HttpResponse,
        facts: RequestFacts,
        trace: Trace | None,
        session: Session,
    ) -> None:
        self.request = request
        self.response = response
        self.facts = facts
        self.trace = trace
        self.session = session


class Endpoint:
    """Answers requests with a service and writes down how it went. Threads may share it."""

    def __init__(self, settings: Settings, classifier: LazyClassifier | None = None) -> None:
        """A `classifier` may be loading already; who gives one calls `after_answer`."""
        self.service = Service(settings, classifier)
        self._settings = settings
        self._instance = Instance()
        self._otlp_export = OtlpExport(settings)

    def handle(self, request: Request) -> HttpResponse:
        """Answer one request and log its line. Never raises for anything a client can send."""
        answered = self.answer(request)
        self.record(answered)
        return answered.response

    def answer(self, request: Request, refusal: RequestError | None = None) -> Answered:
        """Answer one request, whose line is still to be logged by `record`.

        `refusal` says why the server itself cannot let it through.
        """
        facts = RequestFacts()
        trace = read_trace(request.headers)
        detailed = startup.pending or is_sampled(trace, self._settings.profile_sample)
        with timer.session(detailed=detailed) as session, timer.span("request"):
            reply = self.service.answer(request, facts, refusal)
            response = _response(request, reply)
        response.headers["Server-Timing"] = server_timing(session.spans)
        return Answered(request, response, facts, trace, session)

    def record(self, answered: Answered) -> None:
        """Log the line of an answer, and export its spans where that is set. Never raises."""
        entry = self._log_entry(answered)
        log_lines.write(entry)
        status = answered.response.status
        self._otlp_export.export(answered.session, answered.trace, str(entry["message"]), status)
        if change := self.service.classifier.changed_files():
            log_lines.write({"time": now(), "severity": change[0], "message": change[1]})

    def after_answer(self) -> None:
        """When an answer has been sent: verify what a seal spared the start, and log damage."""
        problem = self.service.classifier.verify_sealed()
        if problem is not None:
            log_lines.write({"time": now(), "severity": "ERROR", "message": problem})

    def _log_entry(self, answered: Answered) -> dict[str, object]:
        """Its line. Unknown paths and methods are text of the client, so they stay out."""
        request, facts, session = answered.request, answered.facts, answered.session
        status = answered.response.status
        method = request.method if request.method in METHODS else "other method"
        path = facts.route or "other path"
        message = f"{method} {path} {status}"
        request_span = next(span for span in reversed(session.spans) if span.name == "request")
        classifier = self.service.classifier
        profile: dict[str, object] = {
            "format": PROFILE_FORMAT,
            "cold": facts.cold,
            "route": f"{method} {path}",
            "status": status,
            "duration_ms": round(request_span.duration_ms or 0.0, 3),
            "spans": span_rows(session.spans),
            "sampled": session.detailed,
            "texts": facts.texts,
            "tokens": facts.tokens,
            "rss_mb": rss_mb(),
            "bundle": classifier.identity,
            "graph": classifier.graph,
            "revision": self._settings.revision,
            "instance": self._instance.describe(),
        }
        if facts.explain_tokens:
            profile["explain_tokens"] = facts.explain_tokens
        if self._settings.log_answers and status == 200 and facts.tokens:
            profile["answers"] = facts.answers.field()
        entry: dict[str, object] = {
            "time": now(),
            "severity": _severity(status, method),
            "message": message if facts.failure is None else f"{message}: {facts.failure}",
            **trace_fields(answered.trace, self._settings.project),
            "profile": profile,
        }
        if facts.stack is not None:
            entry["stack_trace"] = facts.stack
        return entry


def _response(request: Request, reply: Reply) -> HttpResponse:
    """The reply as bytes, compressed when the client accepts that and it gets shorter."""
    headers, body = dict(reply.headers), reply.body.encode()
    if body:
        headers = {"Content-Type": "application/json", "Vary": "Accept-Encoding", **headers}
    if len(body) > MIN_BYTES and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        with timer.span("compress"):
            body = deflate(body)
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(reply.status, headers, body)


def _severity(status: int, method: str) -> str:
    if status >= 500:
        return "ERROR"
    if status >= 400:
        return "WARNING"
    return "INFO" if method == "POST" else "DEBUG"
