"""What becomes of a failure nobody foresaw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from flask import Request

from function.http.service import RequestFacts, Service
from function.settings import Settings

SECRET = "the user's text"


class Unreadable:
    """A request that fails with words of the user in the exception."""

    method = "POST"

    @property
    def path(self) -> str:
        secret = "the user" + "'s text"
        raise LookupError(f"cannot read {secret}")


def test_a_failure_is_500_and_leaves_a_trace_without_the_users_words() -> None:
    facts = RequestFacts()
    service = Service(Settings(bundle=Path("nowhere")))
    reply = service.answer(cast(Request, Unreadable()), facts)
    assert reply.status == 500
    assert json.loads(reply.body)["error"]["code"] == "internal"
    assert facts.failure == "LookupError"
    assert facts.stack is not None
    assert "in path" in facts.stack
    assert facts.stack.endswith("\nLookupError")
    assert SECRET not in f"{reply.body}{facts.stack}{facts.failure}"
