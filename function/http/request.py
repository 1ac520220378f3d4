"""What every way of starting hands to the service: a request that flask's fits, too."""

from __future__ import annotations

from io import BytesIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from function.record.trace_context import Headers

    class Stream(Protocol):
        """The bytes of a body."""

        def read(self, size: int = -1, /) -> bytes:
            """The next bytes, `size` at most; none at the end. May raise RequestError."""

    class Request(Protocol):
        """A request whose head was read; its body may still be on the way."""

        @property
        def method(self) -> str: ...
        @property
        def path(self) -> str: ...
        @property
        def headers(self) -> Headers: ...
        @property
        def content_length(self) -> int | None: ...
        @property
        def stream(self) -> Stream: ...


class UnreadRequest:
    """In place of a request whose head could not be read."""

    method = path = ""
    content_length = None

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.stream = BytesIO()
