"""What GET / answers: the bundle, its tasks and labels, and the limits of the service."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.service import Call, Document

LIMITS = ("max_bytes", "max_texts", "max_chars")


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
        "tasks": tasks,
        "limits": {name: getattr(call.settings, name) for name in LIMITS},
    }
