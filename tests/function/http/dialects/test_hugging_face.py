"""Hugging Face's text classification, through its own client and by hand."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import BadRequestError

from model.classifier import Classifier
from tests.serving import Server


def client(server: Server, task: str) -> InferenceClient:
    return InferenceClient(model=f"{server.address}/tasks/{task}")


def test_all_labels_are_given_the_likeliest_first(server: Server, classifier: Classifier) -> None:
    (expected,) = classifier.predict(["raw honey"], ["source"], 100)
    labels = client(server, "source").text_classification("raw honey")
    assert [label.label for label in labels] == [it["label"] for it in expected["source"]]
    scores = [it["score"] for it in expected["source"]]
    assert [label.score for label in labels] == pytest.approx(scores)


def test_top_k_and_the_tasks_own_function(server: Server) -> None:
    source = client(server, "source")
    two = source.text_classification("raw honey", top_k=2, function_to_apply="softmax")
    assert [label.label for label in two] == ["animal_product", "plant"]
    category = client(server, "category")
    labels = category.text_classification("peanut butter", function_to_apply="sigmoid")
    assert [label.label for label in labels] == ["nut", "legume"]
    assert len(category.text_classification("peanut butter", top_k=1)) == 1


def test_a_list_of_texts_has_a_list_for_each(server: Server) -> None:
    question = {"inputs": ["raw honey", "tofu"], "parameters": {"top_k": 1}}
    answer = server.request("POST", "/tasks/source", json.dumps(question))
    assert [[label["label"] for label in labels] for labels in answer.json] == [
        ["animal_product"], ["plant"],
    ]  # fmt: skip
    profile = server.last_line()["profile"]
    assert (profile["route"], profile["texts"]) == ("POST /tasks/TASK", 2)


def test_an_error_reaches_the_client(server: Server) -> None:
    with pytest.raises(BadRequestError, match="source has 'softmax', so send that or leave it out"):
        client(server, "source").text_classification("salt", function_to_apply="none")


@pytest.mark.parametrize(
    ("question", "says", "kind"),
    [
        ({}, 'Send "inputs"', "missing_field"),
        ({"inputs": []}, "inputs is empty", "empty"),
        ({"inputs": "a", "options": {}}, "no field 'options'", "unknown_field"),
        ({"inputs": "a", "parameters": 1}, "parameters is a number", "wrong_type"),
        ({"inputs": "a", "parameters": {"k": 1}}, "no field 'parameters.k'", "unknown_field"),
        ({"inputs": "a", "parameters": {"top_k": 0}}, "top_k is below 1", "out_of_range"),
        ({"inputs": "a", "parameters": {"function_to_apply": 1}}, "is a number", "wrong_type"),
    ],
)
def test_what_is_wrong_is_named(server: Server, question: Any, says: str, kind: str) -> None:
    answer = server.request("POST", "/tasks/source", json.dumps(question))
    assert (answer.status, answer.json["error_type"]) == (400, kind)
    assert says in answer.json["error"]


def test_an_unknown_task_is_404(server: Server) -> None:
    answer = server.request("POST", "/tasks/sauce", '{"inputs": "a"}')
    assert answer.status == 404
    assert "no task 'sauce'; send POST /tasks/ingredient, /tasks/source" in answer.json["error"]


def test_a_task_may_have_a_name_in_any_script(server: Server) -> None:
    answer = server.request("POST", "/tasks/" + quote("Gefühl"), '{"inputs": "a"}')
    assert "no task 'Gefühl'; send" in answer.json["error"]
    answer = server.request("POST", "/tasks/%ff", '{"inputs": "a"}')
    assert "no task '\ufffd'; send" in answer.json["error"]
