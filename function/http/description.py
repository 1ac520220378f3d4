"""What GET / answers: the bundle, its tasks and labels, and the limits of the service."""

from __future__ import annotations

from function.http.contract import MAX_EXPLAINED
from function.http.front_page import VARY, front_page, page_headers, prefers_html
from function.http.service import Reply, serialize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.service import Call, Document

LIMITS = ("max_bytes", "max_texts", "max_chars")


def page_or_description(call: Call) -> Reply:
    """The page where Accept prefers HTML; JSON where not, or where the page is off."""
    if not call.settings.page:
        return Reply(200, serialize(description(call)))
    if prefers_html(call.request.headers.get("Accept", "")):
        return Reply(200, front_page(), page_headers())
    return Reply(200, serialize(description(call)), {"Vary": VARY})


def description(call: Call) -> Document:
    """As JSON, for programs."""
    bundle = call.manifest()
    tasks = [
        {"name": task.name, "kind": task.kind, "labels": list(task.labels)} for task in bundle.tasks
    ]
    return {
        "service": "polyhead",
        "bundle": bundle.identity,
        "base": bundle.base,
        "max_tokens": bundle.max_tokens,
        "long_texts": bundle.long_texts,
        "tasks": tasks,
        "limits": {
            **{name: getattr(call.settings, name) for name in LIMITS},
            "max_explained": MAX_EXPLAINED,
        },
    }
