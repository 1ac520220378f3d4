"""A request as waitress has read it, and the tasks that answer it."""

from __future__ import annotations

from io import BytesIO

from waitress.task import Task

from function.http.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from waitress.parser import HTTPRequestParser

    from function.http.endpoint import Answered
    from function.http.request import Stream

REASONS = {
    200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    413: "Content Too Large", 415: "Unsupported Media Type", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
    503: "Service Unavailable",
}  # fmt: skip


class WireHeaders:
    """Headers as waitress holds them, by their names in any case."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def get(self, key: str, default: str, /) -> str:
        return self._headers.get(key.upper().replace("-", "_"), default)


class BrokenBody(BytesIO):
    """The body of a request that breaks off, or breaks the rules of chunks."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError("the body is not whole")


class WireRequest:
    """A request as it arrived; see function/http/request.py."""

    def __init__(self, parser: HTTPRequestParser) -> None:
        self.method: str = parser.command
        self.path: str = parser.path.encode("latin-1").decode("utf-8", "replace")
        self.headers = WireHeaders(parser.headers)
        self.content_length: int = len(parser.body_rcv) if parser.chunked else parser.content_length
        self.stream: Stream = BrokenBody() if parser.error else parser.get_body_stream()


class RequestTask(Task):  # type: ignore[misc]
    """Has a request answered and sends the answer."""

    def execute(self) -> None:
        endpoint = self.channel.server.endpoint
        self.respond(endpoint.answer(WireRequest(self.request)))
        endpoint.after_answer()

    def respond(self, answered: Answered) -> None:
        """Send an answer, and then log its line, for which nobody waits."""
        response = answered.response
        try:
            self.send(response.status, response.headers, response.body)
        finally:
            self.channel.server.endpoint.record(answered)

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send a response in one piece."""
        self.status = f"{status} {REASONS[status]}"
        self.response_headers += headers.items()
        self.content_length = len(body)
        head = self.build_response_header()
        self.wrote_header = self.complete = True
        is_head = getattr(self.request, "command", "") == "HEAD"
        self.channel.write_soon(head if is_head else head + body)


class MalformedTask(RequestTask):
    """Answers a request that could not be read to its end, and closes the connection."""

    def execute(self) -> None:
        self.set_close_on_finish()
        if self.request.body_rcv is not None:  # its head is whole
            super().execute()
            return
        from function.http.request import UnreadRequest  # few clients need it

        status = self.request.error.code
        message = f"This is no HTTP request that can be read ({REASONS[status]}); send it anew."
        refusal = RequestError(status, "malformed_request", message)
        self.respond(self.channel.server.endpoint.answer(UnreadRequest(), refusal))
