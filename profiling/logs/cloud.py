"""A service's log entries from Cloud Logging, read with google-cloud-logging, page by page."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from profiling.logs.source import SourceError, Window

PAGE = 1000
"""Most entries that one call returns; a project may make 60 calls a minute."""
SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
PROJECT = re.compile(r"[a-z][-a-z0-9:.]{4,61}[a-z0-9]")
PROGRESS_S = 1.0
"""Between two lines of progress."""


def log_filter(project: str, service: str, window: Window) -> str:
    """The filter for a service's requests and errors; raises SourceError."""
    if not PROJECT.fullmatch(project):
        raise SourceError(f"--project {project!r}: give a project's id, such as my-project-1")
    if not SERVICE.fullmatch(service):
        raise SourceError(f"--service {service!r}: give the name of a Cloud Run service")
    parts = [
        'resource.type="cloud_run_revision"',
        f'resource.labels.service_name="{service}"',
        "(jsonPayload.profile:* OR severity>=ERROR)",
    ]
    if window.revisions:
        names = " OR ".join(json.dumps(name) for name in window.revisions)
        parts.append(f"resource.labels.revision_name=({names})")
    if window.since:
        parts.append(f'timestamp>="{window.since.isoformat()}"')
    if window.until:
        parts.append(f'timestamp<"{window.until.isoformat()}"')
    return "\n".join(parts)


def read_cloud(
    project: str, service: str, window: Window, limit: int, endpoint: str | None = None
) -> Iterator[dict[str, Any]]:
    """LogEntries in the order of their time, `limit` at most; raises SourceError.

    `endpoint` is a regional or private one, HOST:PORT.
    """
    filter_ = log_filter(project, service, window)
    print(f"reading {service} in {project}:\n{filter_}", file=sys.stderr)
    google = _Google(project)
    entries = google.call(lambda: google.entries(filter_, endpoint))
    printed_s = time.monotonic()
    for number in range(limit + 1):
        entry = google.call(lambda: next(entries, None))
        if entry is None:
            return
        if number == limit:
            message = f"stopped at {limit} entries; narrow --since and --until, or raise --limit"
            print(message, file=sys.stderr)
            return
        if time.monotonic() - printed_s >= PROGRESS_S:
            printed_s = time.monotonic()
            print(f"{number} entries, at {entry.timestamp}", file=sys.stderr)
        yield entry.to_api_repr()


class _Google:
    """The client library, its errors translated. Importing it takes most of a second."""

    def __init__(self, project: str) -> None:
        try:
            import google.api_core.exceptions
            import google.auth.exceptions
            import google.cloud.logging
        except ModuleNotFoundError as error:
            message = f"{error.name} is missing; pip install -r requirements.txt"
            raise SourceError(message) from None
        self._project = project
        self._logging = google.cloud.logging
        self._api = google.api_core.exceptions
        self._auth = google.auth.exceptions

    def entries(self, filter_: str, endpoint: str | None) -> Iterator[Any]:
        options = {"api_endpoint": endpoint} if endpoint else None
        client = self._logging.Client(  # type: ignore[no-untyped-call]
            project=self._project, client_options=options
        )
        pages: Iterator[Any] = client.list_entries(  # type: ignore[no-untyped-call]
            filter_=filter_, order_by=self._logging.ASCENDING, page_size=PAGE
        )
        return pages

    def call(self, work: Callable[[], Any]) -> Any:
        """The result of `work`; raises SourceError with what to do."""
        try:
            return work()
        except self._auth.DefaultCredentialsError:
            message = "no credentials; run: gcloud auth application-default login"
        except self._auth.GoogleAuthError as error:
            message = f"the credentials do not work ({error}); log in anew: "
            message += "gcloud auth application-default login"
        except self._api.PermissionDenied as error:
            message = f"{error.message}; whoever reads needs roles/logging.viewer on the project "
            message += f"{self._project}"
        except self._api.NotFound as error:
            message = f"{error.message}; check --project {self._project}"
        except self._api.ResourceExhausted as error:
            message = f"{error.message}; wait a minute, or narrow --since and --until"
        except (
            self._api.ServiceUnavailable,
            self._api.RetryError,
            self._api.GatewayTimeout,
        ) as error:
            message = f"Cloud Logging cannot be reached ({error}); check the network and --endpoint"
        except self._api.GoogleAPICallError as error:
            message = f"Cloud Logging refused: {error}"
        raise SourceError(message)
