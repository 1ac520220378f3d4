"""Requests that are wrong: each says which field, and what to send instead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.http.body import parse_json
from function.http.contract import PredictRequest, check_tasks, parse_request
from function.http.errors import RequestError

WRONG: list[tuple[str, str, str | None, str]] = [
    ("", "invalid_json", None, "is not JSON"),
    ("{", "invalid_json", None, "line 1, column 2"),
    ('{"inputs": "a"} b', "invalid_json", None, "Extra data"),
    ('{"inputs": NaN}', "invalid_json", None, "NaN is not JSON"),
    ('{"inputs": "a", "top_k": Infinity}', "invalid_json", None, "Infinity is not JSON"),
    ('{"inputs": "a", "inputs": "b"}', "invalid_json", None, "same key twice"),
    ('{"inputs": "a", "top_k": ' + "9" * 5000 + "}", "invalid_json", None, "too many digits"),
    ("[" * 100_000, "invalid_json", None, "nested too deeply"),
    ('{"inputs":' * 100_000, "invalid_json", None, "nested too deeply"),
    ("null", "wrong_type", None, "The body is null"),
    ("[]", "wrong_type", None, "The body is a list"),
    ('"raw honey"', "wrong_type", None, "The body is a string"),
    ("1", "wrong_type", None, "The body is a number"),
    ("true", "wrong_type", None, "The body is a boolean"),
    ("{}", "missing_field", "inputs", 'Send "inputs"'),
    (
        '{"inputs": "a", "input": "b"}',
        "unknown_field",
        "input",
        "inputs, tasks, top_k, min_score, explain only",
    ),
    ('{"inputs": null}', "wrong_type", "inputs", "inputs is null"),
    ('{"inputs": {}}', "wrong_type", "inputs", "inputs is an object"),
    ('{"inputs": 1.5}', "wrong_type", "inputs", "inputs is a number"),
    ('{"inputs": []}', "empty", "inputs", "send at least one text"),
    ('{"inputs": ["a", 1]}', "wrong_type", "inputs[1]", "send a string"),
    ('{"inputs": ["a", ["b"]]}', "wrong_type", "inputs[1]", "is a list"),
    ('{"inputs": ["a", "b", "c", "d"]}', "too_many_texts", "inputs", "4 texts; send at most 3"),
    ('{"inputs": ["a", "bbbbbbbbbbb"]}', "text_too_long", "inputs[1]", "11 characters long; send"),
    ('{"inputs": ""}', "blank_text", "inputs", "is blank"),
    ('{"inputs": ["a", " \\t\\n\\u2003"]}', "blank_text", "inputs[1]", "is blank"),
    ('{"inputs": "\\u200b\\ufe0f\\u3164\\u0007"}', "blank_text", "inputs", "is blank"),
    ('{"inputs": "a", "tasks": null}', "wrong_type", "tasks", "tasks is null"),
    ('{"inputs": "a", "tasks": "source"}', "wrong_type", "tasks", "send a list of task names"),
    ('{"inputs": "a", "tasks": []}', "empty", "tasks", "or leave it out for all"),
    ('{"inputs": "a", "tasks": [1]}', "wrong_type", "tasks[0]", "send a task's name"),
    ('{"inputs": "a", "tasks": ["x", "x"]}', "duplicate_task", "tasks[1]", "each task once"),
    ('{"inputs": "a", "top_k": true}', "wrong_type", "top_k", "top_k is a boolean"),
    ('{"inputs": "a", "top_k": 1.5}', "wrong_type", "top_k", "a whole number of 1 or more"),
    ('{"inputs": "a", "top_k": "1"}', "wrong_type", "top_k", "top_k is a string"),
    ('{"inputs": "a", "top_k": null}', "wrong_type", "top_k", "top_k is null"),
    ('{"inputs": "a", "top_k": 0}', "out_of_range", "top_k", "1 or more"),
    ('{"inputs": "a", "top_k": -3}', "out_of_range", "top_k", "1 or more"),
    ('{"inputs": "a", "min_score": 0.5}', "wrong_type", "min_score", "send an object such as"),
    ('{"inputs": "a", "min_score": {"x": true}}', "wrong_type", "min_score.x", "is a boolean"),
    ('{"inputs": "a", "min_score": {"x": 1.1}}', "out_of_range", "min_score.x", "from 0 to 1"),
    ('{"inputs": "a", "explain": 1}', "wrong_type", "explain", "send true"),
    ('{"inputs": "a", "explain": null}', "wrong_type", "explain", "explain is null"),
]


def parsed_body(body: bytes) -> PredictRequest:
    return parse_request(parse_json(body), max_texts=3, max_chars=10)


def error_of(error: RequestError) -> dict[str, Any]:
    document = json.loads(json.dumps(error.document))
    assert list(document) == ["error"]
    content: dict[str, Any] = document["error"]
    assert list(content) == ["code", "message", "field"]
    return content


@pytest.mark.parametrize(("body", "code", "field", "message"), WRONG)
def test_a_wrong_body(body: str, code: str, field: str | None, message: str) -> None:
    with pytest.raises(RequestError, match=r"[Ss]end") as caught:
        parsed_body(body.encode())
    error = error_of(caught.value)
    assert (caught.value.status, error["code"], error["field"]) == (400, code, field)
    assert message in error["message"]


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b'{"inputs": "\xe9"}', '{"inputs": "a"}'.encode("utf-16")]
)
def test_a_body_that_is_not_utf8(body: bytes) -> None:
    with pytest.raises(RequestError, match=r"not UTF-8 \(byte \d+\); send JSON encoded as UTF-8"):
        parsed_body(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"inputs": "a"}', PredictRequest(("a",), None, 1, {})),
        ('{"inputs": ["a", "a"]}', PredictRequest(("a", "a"), None, 1, {})),
        ('\ufeff{"inputs": "a"}', PredictRequest(("a",), None, 1, {})),
        ('{"inputs": "\\ud800"}', PredictRequest(("\ud800",), None, 1, {})),
        ('{"inputs": "a", "tasks": ["y", "x"]}', PredictRequest(("a",), ("y", "x"), 1, {})),
        ('{"inputs": "a", "top_k": 1000}', PredictRequest(("a",), None, 1000, {})),
        ('{"inputs": "a", "min_score": {"x": 0.5}}', PredictRequest(("a",), None, 1, {"x": 0.5})),
        ('{"inputs": "aaaaaaaaaa"}', PredictRequest(("aaaaaaaaaa",), None, 1, {})),
    ],
)
def test_a_right_body(body: str, expected: PredictRequest) -> None:
    assert parsed_body(body.encode()) == expected


def test_an_unknown_task_is_told_the_known_ones() -> None:
    for request, field in (
        (PredictRequest(("a",), ("x", "z"), 1, {}), "tasks[1]"),
        (PredictRequest(("a",), None, 1, {"z": 0.5}), "min_score.z"),
    ):
        with pytest.raises(RequestError, match="no task 'z'; ask for some of: x, y") as caught:
            check_tasks(request, ["x", "y"])
        error = error_of(caught.value)
        assert (error["code"], error["field"]) == ("unknown_task", field)


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": "a", "LONG": 1},
        {"inputs": "a", "tasks": ["LONG", "LONG"]},
        {"inputs": "a", "min_score": {"LONG": None}},
        {"inputs": "a", "min_score": {"LONG": 2}},
        {"inputs": "a", "min_score": {"x": int("9" * 4000)}},
        {"inputs": "a", "min_score": {"LONG": 0.5}},
        {"inputs": "a", "tasks": ["LONG"]},
    ],
)
def test_an_error_repeats_little_of_what_was_sent(body: dict[str, Any]) -> None:
    sent = json.dumps(body).replace("LONG", "\U0001f36f" * 100_000)
    with pytest.raises(RequestError, match=r"send|ask for") as caught:
        check_tasks(parsed_body(sent.encode()), ["x"])
    assert len(json.dumps(error_of(caught.value))) < 1500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
)
BODY = st.fixed_dictionaries(
    {}, optional={"inputs": JSON, "tasks": JSON, "top_k": JSON, "min_score": JSON}
)


@given(
    st.one_of(
        st.binary(), BODY.map(json.dumps).map(str.encode), JSON.map(json.dumps).map(str.encode)
    )
)
def test_any_body_is_a_request_or_a_named_error(body: bytes) -> None:
    refusal = None
    try:
        parsed = parsed_body(body)
    except RequestError as error:
        refusal = error
    if refusal is None:
        assert parsed.texts
        assert all(text.strip() and len(text) <= 10 for text in parsed.texts)
    else:
        assert refusal.status == 400
        assert error_of(refusal)["message"]
