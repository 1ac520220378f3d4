"""What holds of every refusal: its form, its length, and that it says what to send."""

from __future__ import annotations

import json

from function.http.errors import RequestError
from function.http.service import serialize

LONGEST = 1500
"""Bytes of an answer that refuses a request, however long what it refuses."""
CODES = {
    400: {
        "invalid_json", "invalid_encoding", "invalid_body", "wrong_type", "missing_field",
        "unknown_field", "empty", "blank_text", "text_too_long", "too_many_texts", "unknown_task",
        "duplicate_task", "out_of_range",
    },
    413: {"body_too_large"},
    415: {"unsupported_encoding"},
}  # fmt: skip


def refusal(error: RequestError) -> str:
    """The error's code, after its answer was checked."""
    answer = serialize(error.document).encode()
    assert len(answer) <= LONGEST, f"{len(answer)} bytes of answer"
    content = json.loads(answer)["error"]
    assert content.keys() == {"code", "message", "field"}
    assert content["code"] in CODES[error.status]
    assert "send" in content["message"].lower() or "ask for" in content["message"]
    assert isinstance(content["field"], str | None)
    return str(content["code"])
