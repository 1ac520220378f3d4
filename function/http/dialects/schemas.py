"""JSON schemas of what requests and answers hold, for one bundle and its server's limits."""

from __future__ import annotations

from functools import cache

from model.encoding import is_blank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from function.settings import Settings
    from model.bundle import Bundle, Task

    Schema = dict[str, Any]

PLANES = (range(0x20000), range(0xE0000, 0xE0200))
"""Where characters are that cannot be seen; the other planes have ideographs or nothing."""


class Schemas:
    """The parts of which the schemas of all protocols are made."""

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        self.bundle = bundle
        self.settings = settings
        self.names = [task.name for task in bundle.tasks]
        score = {"type": "number", "minimum": 0, "maximum": 1}
        self.score: Schema = score
        self.text: Schema = {
            "type": "string", "maxLength": settings.max_chars, "pattern": visible_pattern(),
        }  # fmt: skip
        self.list_of_texts = self.batch(self.text)
        self.fields: dict[str, Schema] = {
            "inputs": {"anyOf": [self.text, self.list_of_texts]},
            "tasks": {
                "type": "array", "items": {"enum": self.names}, "minItems": 1, "uniqueItems": True,
            },
            "top_k": {"type": "integer", "minimum": 1},
            "min_score": record(dict.fromkeys(self.names, score)),
        }  # fmt: skip
        """Of the fields of POST /, which other protocols have too."""
        self.prediction = record({task.name: self.labels(task) for task in bundle.tasks})

    def batch(self, item: Schema, at_most: int | None = None) -> Schema:
        """A list with as many as one request may have, or `at_most` if that is fewer."""
        limit = self.settings.max_texts
        limit = limit if at_most is None else min(limit, at_most)
        return {"type": "array", "items": item, "minItems": 1, "maxItems": limit}

    def labels(self, task: Task) -> Schema:
        """What is answered for one task of one text."""
        labels = {"enum": list(task.labels)}
        label = whole_record({"label": labels, "score": self.score})
        return {"type": "array", "items": label}


def record(fields: dict[str, Schema], required: Iterable[str] = ()) -> Schema:
    """An object with no other fields than these."""
    return {
        "type": "object",
        "properties": fields,
        "additionalProperties": False,
        "required": list(required),
    }


def whole_record(fields: dict[str, Schema]) -> Schema:
    """An object with these fields, all of them."""
    return record(fields, required=fields)


@cache
def visible_pattern() -> str:
    """A regular expression that finds what can be seen in a text, as `is_blank` does."""
    ranges: list[list[int]] = []
    for plane in PLANES:
        for code in plane:
            if is_blank(chr(code)):
                if ranges and ranges[-1][1] == code - 1:
                    ranges[-1][1] = code
                else:
                    ranges.append([code, code])
    return f"[^{''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)}]"
