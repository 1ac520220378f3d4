"""Which dialect answers a path? Its module is imported when it is first asked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.service import Dialect


def dialect_of(path: str) -> Dialect | None:
    """By the first part of a path; None where there is none."""
    first = path[1:].partition("/")[0]
    if first == "bigquery":
        from function.http.dialects import bigquery

        return bigquery.DIALECT
    if first == "v2":
        from function.http.dialects import open_inference

        return open_inference.DIALECT
    if first == "vertex":
        from function.http.dialects import vertex

        return vertex.DIALECT
    if first == "tasks":
        from function.http.dialects import hugging_face

        return hugging_face.DIALECT
    if first == "openapi.json":
        from function.http.dialects import openapi

        return openapi.DIALECT
    return None
