"""Does a deployed service answer rightly, and only to those it may?

    IDENTITY_TOKEN=$(gcloud auth print-identity-token) python -m profiling smoke URL

Sends one text, `--requests` times, then once without the token, which must be refused. With
`--bundle` the answers must be of that bundle, for all tasks that the service describes, and every
single-label task must have a label; without it their status must be 200: while traffic is split,
another revision may answer. Standard library only: it runs where gcloud runs. The exit status is
0, 1 (a fault of the service) or 2 (wrong arguments).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any

TEXT = "raw honey"
TIMEOUT_S = 60
REFUSALS = (401, 403)


class SmokeError(RuntimeError):
    """A fault of the service; the message says what was sent and what came back."""


def ask(url: str, token: str | None, content: Any = None) -> tuple[int, bytes]:
    """Status and body of a POST of JSON, or of a GET without content.

    Raises SmokeError when nothing comes back.
    """
    request = urllib.request.Request(url, None if content is None else json.dumps(content).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        raise SmokeError(f"{url}: no answer: {error}") from None


def check(url: str, token: str, requests: int, bundle: str | None) -> str:
    """What works, in a sentence; raises SmokeError at the first fault."""
    for _ in range(requests):
        body = _answer(url, token, {"inputs": TEXT})
        if bundle is not None:
            check_answer(url, body, bundle, _answer(url, token))
    status, _ = ask(url, None, {"inputs": TEXT})
    if status not in REFUSALS:
        raise SmokeError(f"{url}: answers {status} without a token; it must be private")
    return f"{url}: {requests} of {requests} answered, {status} without a token"


def _answer(url: str, token: str, content: Any = None) -> bytes:
    """The body of an answer with status 200; raises SmokeError for any other."""
    status, body = ask(url, token, content)
    if status != 200:
        raise SmokeError(f"{url}: answers {status}: {body[:200].decode(errors='replace')}")
    return body


def check_answer(url: str, body: bytes, bundle: str, description: bytes) -> None:
    """Raise SmokeError unless the body answers all tasks that the service's description names.

    A single-label task has a label; a multi-label task may have none.
    """
    try:
        answer = json.loads(body)
        identity, prediction = answer["bundle"], dict(answer["predictions"][0])
    except (ValueError, LookupError, TypeError):
        raise SmokeError(f"{url}: no prediction in the answer: {body[:200]!r}") from None
    if identity != bundle:
        raise SmokeError(f"{url}: the answer is of {identity}, not of {bundle}")
    try:
        kinds = {task["name"]: task["kind"] for task in json.loads(description)["tasks"]}
    except (ValueError, LookupError, TypeError):
        raise SmokeError(f"{url}: GET describes no tasks: {description[:200]!r}") from None
    if not kinds or prediction.keys() != kinds.keys():
        raise SmokeError(f"{url}: answers the tasks {[*prediction]}, not {[*kinds]}")
    for task, kind in kinds.items():
        labels = prediction[task]
        if not isinstance(labels, list) or (kind == "single" and not labels):
            raise SmokeError(f"{url}: no label of {task} for {TEXT!r}: {prediction}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m profiling smoke", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("url", metavar="URL", help="address of the service")
    add("--requests", type=int, default=3, metavar="N", help="times to send the text; default: 3")
    add("--bundle", metavar="NAME@DIGEST", help="the bundle that must answer; default: any")
    options = parser.parse_args(arguments)
    token = os.environ.get("IDENTITY_TOKEN")
    if not token or options.requests < 1:
        parser.error("set IDENTITY_TOKEN to an identity token, and --requests to 1 or more")
    try:
        print(check(options.url, token, options.requests, options.bundle))
    except SmokeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
