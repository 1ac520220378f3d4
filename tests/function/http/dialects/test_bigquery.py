"""Requests as BigQuery documents them, against the real server, and the SQL of docs/bigquery.md."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import expressions

from function.http.dialects.bigquery import CONTEXT, KEYS, MAX_ROWS, REPLIES, write_error
from function.http.errors import error_document
from model.classifier import Classifier
from tests.docs_text import PAGES, ROOT, fenced
from tests.serving import Answer, Server, serving

DOCUMENTED = {
    "requestId": "124ab1c",
    "caller": "//bigquery.googleapis.com/projects/myproject/jobs/myproject:US.bquxjob_5b4c112c",
    "sessionUser": "test-user@test-company.com",
}
"""What BigQuery sends with each call, and the function has no use for."""
TEXTS = ["raw honey", "boneless chicken breast", "butter knife", "lard"]
SECRET = "Zanzibarzebra"
PAGE = PAGES["docs/bigquery.md"]


def ask(server: Server, calls: Any, **context: Any) -> Answer:
    body = {**DOCUMENTED, CONTEXT: context, "calls": calls}
    return server.request("POST", "/bigquery", json.dumps(body))


def replies(server: Server, calls: Any, **context: Any) -> list[Any]:
    answer = ask(server, calls, **context)
    assert answer.status == 200, answer.body
    assert list(answer.json) == ["replies"]
    values: list[Any] = answer.json["replies"]
    return values


def error_message(answer: Answer, status: int = 400) -> str:
    assert (answer.status, list(answer.json)) == (status, ["errorMessage"])
    return str(answer.json["errorMessage"])


# Replies


def test_a_label_is_a_string_and_a_score_its_number(server: Server, classifier: Classifier) -> None:
    rows = [[text] for text in TEXTS]
    expected = [row["source"][0] for row in classifier.predict(TEXTS, ["source"])]
    assert replies(server, rows, task="source") == [label["label"] for label in expected]
    scores = replies(server, rows, task="source", reply="score")
    assert scores == pytest.approx([label["score"] for label in expected], abs=0.02)


def test_json_is_that_of_one_task_or_of_all(server: Server, classifier: Classifier) -> None:
    (expected,) = classifier.predict(["raw honey"], top_k=2)
    assert replies(server, [["raw honey"]], reply="json", top_k="2") == [expected]
    (of_task,) = replies(server, [["raw honey"]], reply="json", top_k="2", task="source")
    assert of_task == expected["source"]


def test_null_in_null_out_and_so_for_what_cannot_be_seen(server: Server) -> None:
    rows = [[None], ["raw honey"], [None], [""], [" \t\u200b"], ["lard"]]
    labels = replies(server, rows, task="source")
    assert [label is None for label in labels] == [True, False, True, True, True, False]
    assert replies(server, [[None]], reply="json") == [None]
    assert replies(server, [], task="source") == []


def test_no_label_is_null_and_in_json_an_empty_list(server: Server) -> None:
    rows = [["butter knife"], ["raw honey"]]
    assert replies(server, rows, task="category")[0] is None
    assert replies(server, rows, task="category", reply="score")[0] is None
    assert replies(server, rows, task="category", reply="json")[0] == []
    assert replies(server, rows, task="source", min_score="0.9") == [None, "animal_product"]


def test_a_long_text_is_read_from_its_beginning(server: Server) -> None:
    rows = [["honey " * 100_000], ["honey " * 1000]]
    assert len(set(replies(server, rows, task="source"))) == 1


def test_thousands_of_rows_have_their_replies_in_order(
    server: Server, classifier: Classifier
) -> None:
    """Twelve thousand, in two groups: BigQuery sends no more."""
    texts = [f"{text} {number}" for number in range(500) for text in TEXTS]
    labels = replies(server, [[text] for text in texts * 6], task="source")
    assert labels == labels[:2000] * 6
    alone = [row["source"][0]["label"] for row in classifier.predict(texts[:40], ["source"])]
    agreeing = sum(left == right for left, right in zip(labels, alone, strict=False))
    assert agreeing >= 38  # int8 sums differ with what shares a run
    profile = server.last_line()["profile"]
    assert (profile["texts"], profile["route"]) == (2000, "POST /bigquery")


# What cannot be answered


@pytest.mark.parametrize(
    ("calls", "context", "says"),
    [
        ([["a"]], {}, "of one task; set task in userDefinedContext to one of: ingredient, source,"),
        ([["a"]], {"task": "sauce"}, "no task 'sauce'; ask for one of: ingredient, source, cat"),
        ([["a"]], {"tasks": "source"}, "no key 'tasks'; it takes task, top_k, min_score, reply"),
        ([["a"]], {"task": 1}, "userDefinedContext.task is a number; send a string"),
        ([["a"]], {"reply": "array"}, "'array'; send one of: label, score, json"),
        ([["a"]], {"reply": "json", "top_k": "0"}, "'0'; send a whole number of 1 or more"),
        ([["a"]], {"reply": "json", "top_k": "1.5"}, "'1.5'; send a whole number"),
        ([["a"]], {"task": "source", "top_k": "2"}, "top_k is for the reply json"),
        ([["a"]], {"task": "source", "min_score": "nan"}, "'nan'; send a number from 0 to 1"),
        ([["a"]], {"task": "source", "min_score": "1.1"}, "'1.1'; send a number from 0 to 1"),
        ([["a", "b"]], {"task": "source"}, "calls[0] is not a list of one text"),
        ([["a"], []], {"task": "source"}, "calls[1] is not a list of one text"),
        ([["a"], "b"], {"task": "source"}, "calls[1] is not a list of one text"),
        ([["a"], [1.5]], {"task": "source"}, "calls[1][0] is a number; send text: declare"),
        ("a", {"task": "source"}, "calls is a string; send a list of rows"),
        (None, {"task": "source"}, "calls is null; send a list of rows"),
        ([[None]] * (MAX_ROWS + 1), {"task": "source"}, "16385 rows; set max_batching_rows"),
    ],
)
def test_what_never_succeeds_is_400_and_says_what_to_change(
    server: Server, calls: Any, context: dict[str, Any], says: str
) -> None:
    assert says in error_message(ask(server, calls, **context))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "The body is not JSON"),
        (b"[]", "The body is a list; send an object such as"),
        (b"{}", 'Send "calls": a list of rows'),
        (b'{"calls": [["a"]], "userDefinedContext": null}', "of one task"),
        (b'{"calls": [["a"]], "userDefinedContext": ["task"]}', "userDefinedContext is a list"),
        (b" " * (2**20 + 1), "The body is larger than 1048576 bytes"),
    ],
)
def test_a_body_that_is_no_call_is_400(server: Server, body: bytes, says: str) -> None:
    assert says in error_message(server.request("POST", "/bigquery", body))


def test_replies_that_bigquery_would_not_take_are_400(server: Server) -> None:
    rows = [["garlic butter shrimp"]] * MAX_ROWS
    message = error_message(ask(server, rows, reply="json", top_k="1000"))
    assert "larger than 6291456 bytes; set max_batching_rows" in message


@pytest.mark.parametrize(("status", "becomes"), [(400, 400), (413, 400), (415, 400), (429, 429)])
def test_what_is_sent_again_has_a_status_of_its_own(status: int, becomes: int) -> None:
    assert write_error(status, error_document("code", "why")) == (becomes, {"errorMessage": "why"})


@pytest.mark.parametrize("message", ["m" * 5000, "\u6e90" * 5000, "\ud800" * 5000])
def test_a_message_has_less_than_a_kilobyte(message: str) -> None:
    status, document = write_error(500, error_document("internal", message))
    assert status == 503
    assert 900 < len(str(document["errorMessage"]).encode()) <= 1000


def test_a_broken_bundle_is_503(tmp_path: Path) -> None:
    with serving(tmp_path / "nowhere", tmp_path / "log", "image") as broken:
        answer = ask(broken, [["a"]], task="source")
        assert "bundle cannot be used: no such directory" in error_message(answer, 503)
        assert broken.last_line()["severity"] == "ERROR"


# The log line


def test_its_line_is_that_of_any_prediction(server: Server) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    body = json.dumps({**DOCUMENTED, CONTEXT: {"reply": "json"}, "calls": [["lard"], ["lard"]]})
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = server.request("POST", "/bigquery", body, headers)
    line = server.last_line()
    profile = line["profile"]
    assert (line["severity"], line["message"]) == ("INFO", "POST /bigquery 200")
    assert line["logging.googleapis.com/trace"] == f"projects/testing/traces/{trace}"
    assert (profile["texts"], profile["route"]) == (1, "POST /bigquery")
    assert profile["tokens"] > 1
    names = {span["name"] for span in profile["spans"]}
    assert names >= {"request", "parse", "tokenize", "run", "softmax", "respond"}
    assert "request;dur=" in answer.headers["Server-Timing"]


def test_nothing_that_was_sent_is_logged(server: Server) -> None:
    ask(server, [[SECRET]], task="source")
    ask(server, [[SECRET, SECRET]], task=SECRET)
    ask(server, [[SECRET]], task=SECRET)
    ask(server, [[SECRET]], **{SECRET: SECRET})
    server.request("GET", f"/bigquery/{SECRET}")
    assert SECRET not in server.log.read_text()


# The page


def functions() -> list[expressions.Create]:
    """Each CREATE FUNCTION of the page."""
    return [
        statement
        for page, block in fenced("sql")
        if page == "docs/bigquery.md"
        for statement in sqlglot.parse(block, dialect="bigquery")
        if isinstance(statement, expressions.Create) and statement.kind == "FUNCTION"
    ]


def options(function: expressions.Create) -> dict[str, Any]:
    """Its OPTIONS, and what it returns."""
    values: dict[str, Any] = {}
    for entry in function.args["properties"].expressions:
        if isinstance(entry, expressions.ReturnsProperty):
            values["returns"] = entry.this.sql(dialect="bigquery")
        elif isinstance(entry, expressions.RemoteWithConnectionModelProperty):
            values["connection"] = entry.this.sql(dialect="bigquery")
        elif isinstance(entry.args["value"], expressions.Array):
            pairs = [pair.expressions for pair in entry.args["value"].expressions]
            values[entry.name] = {key.this: value.this for key, value in pairs}
        else:
            values[entry.name] = entry.args["value"].this
    return values


def test_there_is_a_function_for_each_task_and_its_replies_have_its_type(
    server: Server, classifier: Classifier
) -> None:
    types: dict[str, Any] = {"STRING": str, "FLOAT64": float, "JSON": (list, dict)}
    tasks = set()
    for function in functions():
        declared = options(function)
        assert declared["endpoint"].endswith("/bigquery")
        assert int(declared["max_batching_rows"]) <= MAX_ROWS
        (reply,) = replies(server, [["raw honey"]], **declared["user_defined_context"])
        assert isinstance(reply, types[declared["returns"]])
        tasks.add(declared["user_defined_context"].get("task"))
    assert tasks == {None, *(task.name for task in classifier.bundle.tasks)}


def test_the_queries_call_the_functions_that_are_made() -> None:
    made = {function.find(expressions.Table).name for function in functions()}  # type: ignore[union-attr]
    called = set(re.findall(r"\bpolyhead\.(\w+)\(", PAGE))
    assert made == called
    for _, block in fenced("sql"):
        assert all(sqlglot.parse(block, dialect="bigquery"))


def test_the_keys_and_replies_are_documented() -> None:
    for name in (*KEYS, *REPLIES):
        assert f"| `{name}` |" in PAGE
    assert f"{MAX_ROWS:,} rows" in PAGE


def test_its_price_is_that_of_the_record() -> None:
    prices = tomllib.loads((ROOT / "profiling/report/prices.toml").read_text())["request_based"]
    (rate,) = re.findall(r"some ([\d,]+) rows a second", PAGE)
    (seconds,) = re.findall(r"takes ([\d,]+) s of one vCPU", PAGE)
    (dollars,) = re.findall(r"and ([\d.]+) \$", PAGE)
    assert f"| 1 | 5 | 3.86 (4.18) | {rate.replace(',', '')} |" in PAGES["docs/benchmarks.md"]
    expected_s = 1e6 / float(rate.replace(",", ""))
    assert float(seconds.replace(",", "")) == pytest.approx(expected_s, abs=1)
    price = expected_s * (prices["vcpu_second"] + 0.25 * prices["gib_second"])
    assert float(dollars) == pytest.approx(price, abs=0.005)
