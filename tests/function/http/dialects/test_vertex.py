"""Vertex AI's requests to a custom container, and what it sets, against the real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from profiling.server import free_port
from tests.serving import Answer, Server, serving


def ask(server: Server, question: Any, path: str = "/vertex") -> Answer:
    return server.request("POST", path, json.dumps(question))


def test_instances_are_texts_or_objects_with_a_text(server: Server, classifier: Classifier) -> None:
    parameters = {"tasks": ["source"], "top_k": 2}
    one = ask(server, {"instances": [{"text": "raw honey"}], "parameters": parameters})
    assert one.status == 200
    assert one.json == {"predictions": classifier.predict(["raw honey"], ["source"], 2)}
    both = ask(server, {"instances": ["raw honey", {"text": "lard"}]})
    own = server.ask({"inputs": ["raw honey", "lard"]})
    assert both.json["predictions"] == own.json["predictions"]


def test_min_score_leaves_labels_out(server: Server) -> None:
    parameters = {"min_score": {"source": 0.99}}
    answer = ask(server, {"instances": ["butter knife"], "parameters": parameters})
    assert answer.json["predictions"][0]["source"] == []


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ([], "The body is a list"),
        ({}, 'Send "instances": a list of texts'),
        ({"instances": "lard"}, "instances is a string; send a list of texts"),
        ({"instances": []}, "instances is empty"),
        ({"instances": ["a"] * 257}, "instances holds 257 texts; send at most 256"),
        ({"instances": ["a", 1]}, "instances[1] is a number"),
        ({"instances": [{"txt": "a"}]}, "no field 'instances[0].txt'; send text only"),
        ({"instances": [{}]}, 'Send "text": a string'),
        ({"instances": [{"text": " "}]}, "instances[0].text is blank"),
        ({"instances": ["a"], "inputs": 1}, "no field 'inputs'; send instances, parameters only"),
        ({"instances": ["a"], "parameters": []}, "parameters is a list"),
        ({"instances": ["a"], "parameters": {"k": 1}}, "no field 'parameters.k'; send tasks, top"),
        ({"instances": ["a"], "parameters": {"top_k": 0}}, "parameters.top_k is below 1"),
        ({"instances": ["a"], "parameters": {"tasks": ["b"]}}, "no task 'b'; ask for some of"),
    ],
)
def test_what_is_wrong_is_said_as_google_does(server: Server, question: Any, says: str) -> None:
    answer = ask(server, question)
    assert (answer.status, list(answer.json)) == (400, ["error"])
    error = answer.json["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert says in error["message"]


def test_its_port_and_paths_are_served(bundle_path: Path, tmp_path: Path) -> None:
    """Its port counts before PORT, which the image sets."""
    settings = {
        "PORT": "1",
        "AIP_HTTP_PORT": str(free_port()),  # the one that the server is asked at
        "AIP_HEALTH_ROUTE": "/v1/endpoints/7/deployedModels/8",
        "AIP_PREDICT_ROUTE": "/v1/endpoints/7/deployedModels/8:predict",
    }
    with serving(bundle_path, tmp_path / "log", "image", **settings) as server:
        check_vertex_paths(server, settings)


def test_its_paths_are_served_from_source(bundle_path: Path, tmp_path: Path) -> None:
    settings = {"AIP_HEALTH_ROUTE": "/", "AIP_PREDICT_ROUTE": "/"}
    with serving(bundle_path, tmp_path / "log", "source", **settings) as server:
        check_vertex_paths(server, settings)


def check_vertex_paths(server: Server, settings: dict[str, str]) -> None:
    health, predict = settings["AIP_HEALTH_ROUTE"], settings["AIP_PREDICT_ROUTE"]
    assert server.request("GET", health).json["status"] == "ready"
    answer = ask(server, {"instances": ["raw honey"]}, predict)
    assert answer.json["predictions"][0]["source"][0]["label"] == "animal_product"
    assert ask(server, {}, predict).json["error"]["status"] == "INVALID_ARGUMENT"
    routes = [line["profile"]["route"] for line in server.lines()]
    assert routes == ["GET /ready", "POST /vertex", "POST /vertex"]
