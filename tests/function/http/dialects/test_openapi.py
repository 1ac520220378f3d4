"""/openapi.json is OpenAPI 3.1, has the bundle in it, and describes what the function does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from function.http.contract import MAX_EXPLAINED
from function.http.dialects.schemas import visible_pattern
from function.http.request import UnreadRequest
from function.http.service import RequestFacts, Service
from function.settings import Settings
from model.classifier import Classifier
from model.encoding import is_blank
from tests.function.http.test_contract import WRONG
from tests.serving import Server, serving

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 25
TAKEN = {
    "/": {
        "inputs": ["salt", "lard"],
        "tasks": ["source"],
        "top_k": 2,
        "min_score": {"source": 0.1},
        "explain": True,
    },
    "/bigquery": {"requestId": "1", "userDefinedContext": {"task": "source"}, "calls": [[None]]},
    "/vertex": {"instances": ["salt", {"text": "lard"}], "parameters": {"top_k": 1}},
    "/tasks/category": {"inputs": "salt", "parameters": {"function_to_apply": "sigmoid"}},
    "/v2/models/ingredients/infer": {
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["salt"]}],
        "outputs": [{"name": "source.label", "parameters": {"binary_data": True}}],
    },
}


@cache
def document(**settings: Any) -> Any:
    """What a service with these settings describes."""
    request = UnreadRequest()
    request.method, request.path = "GET", "/openapi.json"
    return json.loads(Service(Settings(**settings)).answer(request, RequestFacts()).body)


def body_schema(path: str, **settings: Any) -> Any:
    content = document(**settings)["paths"][path]["post"]["requestBody"]["content"]
    return content["application/json"]["schema"]


def test_it_is_openapi_with_tasks_and_labels(server: Server, classifier: Classifier) -> None:
    answer = server.request("GET", "/openapi.json")
    assert answer.status == 200
    OpenAPIV31SpecValidator(answer.json).validate()
    assert answer.json == document()
    assert server.last_line()["profile"]["route"] == "GET /openapi.json"
    responses = answer.json["paths"]["/"]["post"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    labels = schema["properties"]["predictions"]["items"]["properties"]
    assert {
        name: tuple(task["items"]["properties"]["label"]["enum"]) for name, task in labels.items()
    } == {task.name: task.labels for task in classifier.bundle.tasks}
    for task in classifier.bundle.tasks:
        assert f"/tasks/{task.name}" in answer.json["paths"]


def test_what_a_browser_gets_is_described(server: Server) -> None:
    accepted = {"application/json": "*/*", "text/html": "text/html"}
    for media_type, accept in accepted.items():
        answer = server.request("GET", "/", headers={"Accept": accept})
        assert answer.headers.get_content_type() == media_type
    for page, media_types in ((True, accepted.keys()), (False, {"application/json"})):
        described = document(page=page)["paths"]["/"]["get"]["responses"]["200"]["content"]
        assert described.keys() == media_types


def test_its_limits_are_the_servers() -> None:
    for most, expected in ((3, [3, 3]), (100, [100, MAX_EXPLAINED])):
        forms = body_schema("/", max_texts=most, max_chars=10)["anyOf"]
        inputs = [form["properties"]["inputs"]["anyOf"] for form in forms]
        assert [one["maxLength"] for one, _ in inputs] == [10, 10]
        assert [many["maxItems"] for _, many in inputs] == expected


def test_an_answer_is_as_described(server: Server) -> None:
    answers = document()["paths"]["/"]["post"]["responses"]["200"]["content"]
    schema = Draft202012Validator(answers["application/json"]["schema"])
    for question in ({"inputs": "salt " * 99}, {"inputs": "raw honey", "explain": True}):
        schema.validate(server.ask(question).json)


@pytest.mark.parametrize("path", TAKEN)
def test_a_request_that_it_allows_is_taken(server: Server, path: str) -> None:
    Draft202012Validator(body_schema(path)).validate(TAKEN[path])
    assert server.request("POST", path, json.dumps(TAKEN[path])).status == 200


@pytest.mark.parametrize("body", [body for body, code, *_ in WRONG if code != "invalid_json"])
def test_a_request_that_is_refused_is_not_allowed(body: str) -> None:
    schema = body_schema("/", max_texts=3, max_chars=10)
    assert not Draft202012Validator(schema).is_valid(json.loads(body))


def test_what_can_be_seen_is_told_as_in_the_function() -> None:
    is_visible = re.compile(visible_pattern()).search
    wrong = [
        code
        for code in range(sys.maxunicode + 1)
        if bool(is_visible(chr(code))) == is_blank(chr(code))
    ]
    assert wrong == []


@pytest.mark.openapi
def test_schemathesis_finds_nothing(way: str, bundle_path: Path, tmp_path: Path) -> None:
    if not find_spec("schemathesis"):
        pytest.skip("schemathesis is not installed (pip install -r requirements-dev.txt)")
    with serving(bundle_path, tmp_path / "log", way) as server:
        server.expect("GET", "/ready")
        command = (
            *("-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color", "run"),
            *(f"{server.address}/openapi.json", "--max-examples", str(EXAMPLES)),
        )
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout
