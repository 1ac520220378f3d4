"""A service's log entries from Cloud Logging, read with google-cloud-logging, page by page."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from profiling.logs.source import SourceError, Window

PAGE = 1000
"""Most entries that one call returns; a project may make 60 calls a minute."""
SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
PROJECT = re.compile(r"[a-z][-a-z0-9:.]{4,61}[a-z0-9]")


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
    try:  # importing it takes most of a second
        import google.cloud.logging as cloud_logging
    except ModuleNotFoundError as error:
        message = f"{error.name} is missing; pip install -r requirements.txt"
        raise SourceError(message) from None
    with _errors_with_advice(project):
        client = cloud_logging.Client(  # type: ignore[no-untyped-call]
            project=project, client_options={"api_endpoint": endpoint} if endpoint else None
        )
        entries = client.list_entries(  # type: ignore[no-untyped-call]
            filter_=filter_, order_by=cloud_logging.ASCENDING, page_size=PAGE
        )
        progress = tqdm(entries, unit=" entries", mininterval=1.0, leave=False, disable=None)
        for number, entry in enumerate(progress):
            if number == limit:
                message = (
                    f"stopped at {limit} entries; narrow --since and --until, or raise --limit"
                )
                print(message, file=sys.stderr)
                return
            progress.set_postfix_str(f"at {entry.timestamp}", refresh=False)
            yield entry.to_api_repr()


@contextmanager
def _errors_with_advice(project: str) -> Iterator[None]:
    """Turn errors of the client library into SourceError that says what to do."""
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    login = "gcloud auth application-default login"
    try:
        yield
    except auth.DefaultCredentialsError:
        message = f"no credentials; run: {login}"
    except auth.GoogleAuthError as error:
        message = f"the credentials do not work ({error}); log in anew: {login}"
    except api.PermissionDenied as error:
        message = f"{error.message}; reading needs roles/logging.viewer on the project {project}"
    except api.NotFound as error:
        message = f"{error.message}; check --project {project}"
    except api.ResourceExhausted as error:
        message = f"{error.message}; wait a minute, or narrow --since and --until"
    except (api.ServiceUnavailable, api.RetryError, api.GatewayTimeout) as error:
        message = f"Cloud Logging cannot be reached ({error}); check the network and --endpoint"
    except api.GoogleAPICallError as error:
        message = f"Cloud Logging refused: {error}"
    else:
        return
    raise SourceError(message)
