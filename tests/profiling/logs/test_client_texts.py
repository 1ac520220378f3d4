"""What clients sent, as the platform's own entries quote it, is in no table, document or page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from profiling.logs.logs_command import main
from tests.profiling.logs.lines import line

CANARY = "canaryofaclient"
REQUEST = {
    "requestMethod": "POST",
    "requestUrl": f"https://polyhead.run.app/{CANARY}?{CANARY}={CANARY}",
    "userAgent": CANARY,
    "referer": f"https://{CANARY}.test/",
    "remoteIp": CANARY,
    "status": 500,
}
"""Of Cloud Run's request log, which the query for errors reads as well."""


def platform_entries() -> list[dict[str, Any]]:
    """Entries of Cloud Logging that are not the function's, and one of ours with more in it."""
    platform = {"timestamp": "2026-11-20T08:00:01Z", "labels": {"client": CANARY}}
    return [
        {**platform, "severity": "ERROR", "httpRequest": REQUEST},
        {**platform, "severity": "WARNING", "httpRequest": {**REQUEST, "status": 400}},
        {**platform, "severity": "WARNING", "textPayload": f"The request was aborted: {CANARY}"},
        {**platform, "severity": "INFO", "jsonPayload": {"message": CANARY, "inputs": CANARY}},
        {**line(5.0), "inputs": CANARY, "httpRequest": REQUEST, "labels": {"client": CANARY}},
        {**line(4.0, status=400, inputs=CANARY)},
    ]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_canary_of_a_client_is_shown(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, page = tmp_path / "log", tmp_path / "page.html"
    log.write_text("\n".join(map(json.dumps, platform_entries())))
    output = ["--json"] if as_json else ["--html", str(page)]
    assert main(["--file", str(log), *output]) == 0
    printed = capsys.readouterr()
    shown = printed.out + printed.err + (page.read_text("utf-8") if page.exists() else "")
    assert "POST / 400" in shown
    assert "no message" in shown
    assert CANARY not in shown
