"""A JSON value as a request: taken if, and only if, its fields are what the docs say."""

from __future__ import annotations

import json
import re
from typing import Any

from function.http.body import parse_json
from function.http.contract import FIELDS, check_tasks, parse_request
from function.http.errors import RequestError
from tests.reliability.mutation import Target
from tests.reliability.targets.refusal import refusal

MAX_TEXTS, MAX_CHARS, TASKS = 4, 60, ["ingredient", "source"]
SEEDS = tuple(
    json.dumps(request, ensure_ascii=False).encode()
    for request in (
        {"inputs": "raw honey"},
        {"inputs": ["boneless chicken breast", "butter knife"]},
        {"inputs": ["lard"], "tasks": ["source"], "top_k": 2, "min_score": {"source": 0.1}},
        {"inputs": "tofu", "tasks": ["source", "ingredient"], "top_k": 1000},
        {"inputs": ["a", "b", "c", "d"], "min_score": {"ingredient": 1, "source": 0}},
        {"tasks": [], "min_score": {}, "inputs": "crème fraîche"},
        {"inputs": "a", "unknown": {"deep": [[[]]]}},
    )
)
VALUE = re.compile(rb'"[^"]*"|-?\b\d[\d.e+-]*|\b(?:null|true|false)\b|\[[^][]*\]|\{[^{}]*\}')
"""A JSON value, which another may take the place of."""
TOKENS = (
    b"null", b"true", b"false", b"0", b"1", b"-1", b"1.0", b"0.5", b"1e999", b"-0.0", b"1e-999",
    b"9" * 400, b"[]", b"{}", b"[[]]", b'""', b'" \\t\\u2003"', b'"\\ud800"', b'"\\u0000"',
    b'"' + b"long" * 500 + b'"', b'"\xf0\x9f\x8d\xaf"', b'{"a": {"b": []}}',
    *(f'"{name}"'.encode() for name in (*FIELDS, *TASKS)),
    b'{"source": 0.5}', b'["source", "source"]', b'"a", "b", "c", "d"', b'1, "x": 2',
)  # fmt: skip
FIELD = re.compile(r"inputs(\[\d+\])?|tasks(\[\d+\])?|top_k|explain|min_score(\..*)?", re.DOTALL)


def check(data: bytes) -> str:
    """`data`: the JSON of a request."""
    try:
        value = parse_json(data)
    except RequestError as error:
        return refusal(error)
    try:
        request = parse_request(value, MAX_TEXTS, MAX_CHARS)
        check_tasks(request, TASKS)
    except RequestError as error:
        code, field = refusal(error), error.document["error"]["field"]  # type: ignore[index]
        assert not must_be_taken(value), f"refused: {code} {field}"
        assert code == "unknown_field" or field is None or FIELD.fullmatch(field)
        return code
    assert may_be_taken(value), "taken"
    inputs = value["inputs"]
    assert request.texts == ((inputs,) if isinstance(inputs, str) else tuple(inputs))
    assert request.tasks == (tuple(value["tasks"]) if "tasks" in value else None)
    assert request.top_k == value.get("top_k", 1)
    assert request.min_score == value.get("min_score", {})
    return "a request"


def may_be_taken(value: Any) -> bool:
    """Read from docs/http.md: what a request may hold."""
    if not isinstance(value, dict) or not value.keys() <= set(FIELDS):
        return False
    inputs, tasks = value.get("inputs"), value.get("tasks", ["source"])
    texts = inputs if isinstance(inputs, list) else [inputs]
    top_k, scores = value.get("top_k", 1), value.get("min_score", {})
    explains = value.get("explain", False)
    return (
        type(explains) is bool
        and 0 < len(texts) <= MAX_TEXTS
        and all(type(text) is str and text.strip() and len(text) <= MAX_CHARS for text in texts)
        and type(tasks) is list
        and tasks != []
        and all(type(task) is str and task in TASKS for task in tasks)
        and len(set(tasks)) == len(tasks)
        and type(top_k) in (int, float)
        and top_k % 1 == 0
        and top_k >= 1
        and type(scores) is dict
        and all(type(score) in (int, float) and 0 <= score <= 1 for score in scores.values())
        and scores.keys() <= set(TASKS)
    )


def must_be_taken(value: Any) -> bool:
    """As `may_be_taken`; of texts in doubt, those with a letter or digit of ASCII."""
    return may_be_taken(value) and all(
        re.search("[!-~]", text)
        for text in ([value["inputs"]] if isinstance(value["inputs"], str) else value["inputs"])
    )


TARGET = Target("contract", "function/http/contract.py", SEEDS, TOKENS, check, VALUE, 30)
