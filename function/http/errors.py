"""The answer to a request that cannot be met."""

from __future__ import annotations


class RequestError(Exception):
    """A request that cannot be met; the message says what to send instead.

    It may quote the request, so it goes to the client and never to the log.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.document = error_document(code, message, field)
        self.headers = headers or {}


def error_document(code: str, message: str, field: str | None = None) -> dict[str, object]:
    """The body of every answer that is an error; `field` names what is wrong in the request."""
    return {"error": {"code": code, "message": message, "field": field}}
