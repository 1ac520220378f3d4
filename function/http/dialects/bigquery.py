"""BigQuery's remote functions: many rows in, a reply for each.

https://cloud.google.com/bigquery/docs/remote-functions has the format. BigQuery packs thousands
of rows into a call, so rows are answered in groups, of which JSON alone is left, and equal texts
once.
"""

from __future__ import annotations

import json
import re

from function.http.contract import check_object, missing, quoted, wrong, wrong_type
from function.http.errors import RequestError
from function.http.service import Dialect
from model.encoding import is_blank, unread
from model.values import Values
from profiling.timer import timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from function.http.service import Call, Document
    from model.answers import Label, Prediction
    from model.bundle import Task

CONTEXT = "userDefinedContext"
KEYS = ("task", "top_k", "min_score", "reply")
"""What the context may hold; BigQuery sends all values as strings."""
JSON = "json"
REPLIES = ("label", "score", JSON)
MAX_ROWS = 2**14
MAX_REPLY_BYTES = 6 * 2**20
"""Below the least that BigQuery takes, 10 MB."""
GROUP_SCORES = 2**16
"""Scores that are held at once: of so many rows, labels of all tasks."""
TOP_K = r"^[1-9][0-9]{0,8}$"
MIN_SCORE = r"^(0(\.[0-9]{1,17})?|1(\.0{1,17})?)$"
"""How a context spells them."""
MAX_MESSAGE_BYTES = 1000
UNCHANGED = (404, 405, 429)
"""Statuses of what BigQuery sends again, and of what it never sends."""


class RemoteCall(Values):
    """A valid call of a remote function; whether the bundle knows `task` is checked later."""

    def __init__(
        self, rows: list[str | None], task: str | None, top_k: int, min_score: float, reply: str
    ) -> None:
        self.rows = rows
        """Texts; None where there is none."""
        self.task = task
        """None: all, or the only one."""
        self.top_k = top_k
        self.min_score = min_score
        self.reply = reply


def answer_calls(call: Call) -> str:
    """POST /bigquery."""
    parsed = _parse(call)
    classifier = call.load()
    max_chars, long_texts = call.settings.max_chars, classifier.bundle.long_texts
    rows = [_read_part(text, max_chars, long_texts) for text in parsed.rows]
    texts = list(dict.fromkeys(text for text in rows if text is not None))
    call.facts.texts = len(texts)
    tasks = _tasks(parsed, classifier.bundle.tasks)
    call.take_turn(len(texts))
    min_score = dict.fromkeys(tasks, parsed.min_score)
    group_rows = max(1, GROUP_SCORES // classifier.bundle.heads.width)
    write = _reply_writer(parsed, tasks)
    replies: dict[str | None, str] = {None: "null"}
    for start in range(0, len(texts), group_rows):
        group = texts[start : start + group_rows]
        detailed = classifier.predict_detailed(
            group, tasks, parsed.top_k, min_score, call.facts.answers
        )
        call.facts.tokens += detailed.tokens
        with timer.span("respond"):
            for text, prediction in zip(group, detailed.predictions, strict=True):
                replies[text] = json.dumps(write(prediction))
            _check_size(replies.values())
    return _document(rows, replies)


@timer.span("respond")
def _document(rows: list[str | None], replies: dict[str | None, str]) -> str:
    """JSON with a reply for each row."""
    _check_size(replies[row] for row in rows)
    return f'{{"replies": [{", ".join(replies[row] for row in rows)}]}}'


def _check_size(replies: Iterable[str]) -> None:
    if sum(map(len, replies)) > MAX_REPLY_BYTES:
        message = f"The replies are larger than {MAX_REPLY_BYTES} bytes"
        advice = "set max_batching_rows in CREATE FUNCTION, or a lower top_k"
        raise RequestError(413, "body_too_large", f"{message}; {advice}.")


@timer.span("parse")
def _parse(call: Call) -> RemoteCall:
    body = call.read_json()
    check_object(body, '{"calls": [["raw honey"]]}')
    if "calls" not in body:
        raise missing(field="calls", expected='a list of rows such as ["raw honey"]')
    context = {} if body.get(CONTEXT) is None else body[CONTEXT]
    check_object(context, '{"task": "source"}', CONTEXT)
    return RemoteCall(_rows(body["calls"]), **_context(context))


def _rows(calls: Any) -> list[str | None]:
    """The text of each row."""
    if not isinstance(calls, list):
        raise wrong_type(field="calls", value=calls, expected="a list of rows")
    if len(calls) > MAX_ROWS:
        problem = f"holds {len(calls)} rows; set max_batching_rows in CREATE FUNCTION to {MAX_ROWS}"
        raise wrong("too_many_texts", field="calls", problem=f"{problem} or less")
    rows: list[str | None] = []
    for index, row in enumerate(calls):
        if not isinstance(row, list) or len(row) != 1:
            problem = "is not a list of one text; declare the function with one argument"
            raise wrong("wrong_type", f"calls[{index}]", problem)
        (text,) = row
        if not isinstance(text, str | None):
            expected = "text: declare the argument as STRING"
            raise wrong_type(f"calls[{index}][0]", text, expected)
        rows.append(text)
    return rows


def _read_part(text: str | None, max_chars: int, long_texts: str) -> str | None:
    """The text, cut as one of too many tokens is; None where there is nothing to see."""
    if text is None:
        return None
    start, end = unread(len(text), max_chars, long_texts)
    read = text[:start] + text[end:]
    return None if is_blank(read) else read


def _context(context: dict[str, Any]) -> dict[str, Any]:
    """The context's values, and defaults of those that it lacks; raises RequestError."""
    for key, value in context.items():
        if key not in KEYS:
            message = f"{CONTEXT} has no key {quoted(key)!r}; it takes {', '.join(KEYS)} only."
            raise RequestError(400, "unknown_field", message, f"{CONTEXT}.{quoted(key)}")
        if not isinstance(value, str):
            raise wrong_type(f"{CONTEXT}.{key}", value, "a string, as BigQuery does")
    reply = context.get("reply", REPLIES[0])
    if reply not in REPLIES:
        problem = f"is {quoted(reply)!r}; send one of: {', '.join(REPLIES)}"
        raise wrong("out_of_range", f"{CONTEXT}.reply", problem)
    top_k = int(_spelled(context, "top_k", "1", TOP_K, "a whole number of 1 or more"))
    if top_k > 1 and reply != JSON:
        problem = f"is for the reply json; a {reply} is that of the first label alone"
        raise wrong("out_of_range", f"{CONTEXT}.top_k", problem)
    min_score = float(_spelled(context, "min_score", "0", MIN_SCORE, "a number from 0 to 1"))
    return {
        "task": context.get("task"), "top_k": top_k, "min_score": min_score, "reply": reply,
    }  # fmt: skip


def _spelled(context: dict[str, str], key: str, default: str, pattern: str, expected: str) -> str:
    value = context.get(key, default)
    if not re.match(pattern, value) or not value[-1].isdecimal():  # `$` lets a line end pass
        raise wrong("out_of_range", f"{CONTEXT}.{key}", f"is {quoted(value)!r}; send {expected}")
    return value


def _tasks(parsed: RemoteCall, known: Sequence[Task]) -> list[str]:
    """The tasks to answer; raises RequestError."""
    names = [task.name for task in known]
    field, listed = f"{CONTEXT}.task", ", ".join(names)
    if parsed.task is None:
        if parsed.reply == JSON or len(names) == 1:
            return names
        message = f"A {parsed.reply} is of one task; set task in {CONTEXT} to one of: {listed}."
        raise RequestError(400, "missing_field", message, field)
    if parsed.task not in names:
        message = f"There is no task {quoted(parsed.task)!r}; ask for one of: {listed}."
        raise RequestError(400, "unknown_task", message, field)
    return [parsed.task]


def _reply_writer(parsed: RemoteCall, tasks: list[str]) -> Callable[[Prediction], Any]:
    """What makes the reply to a row of its prediction."""
    first = tasks[0]
    if parsed.reply == JSON:
        return (lambda labels: labels) if parsed.task is None else (lambda labels: labels[first])

    def of_first(labels: list[Label]) -> str | float | None:
        if not labels:
            return None
        return labels[0]["label"] if parsed.reply == "label" else labels[0]["score"]

    return lambda prediction: of_first(prediction[first])


def write_error(status: int, document: Document) -> tuple[int, Document]:
    """400 fails the query with `errorMessage`; after 429 and 503 BigQuery sends the call again."""
    error: Any = document["error"]
    message = str(error["message"]).encode(errors="replace")[:MAX_MESSAGE_BYTES]
    if status not in UNCHANGED:
        status = 503 if status >= 500 else 400
    return status, {"errorMessage": message.decode(errors="ignore")}


DIALECT = Dialect({"/bigquery": {"POST": answer_calls}}, write_error)
