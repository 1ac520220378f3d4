"""What every way of starting hands to the service: a request that flask's fits, too."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Protocol

    from function.record.trace_context import Headers

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
        def stream(self) -> IO[bytes]: ...
