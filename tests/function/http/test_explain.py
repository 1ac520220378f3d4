"""`"explain": true` in a request, against the real server."""

from __future__ import annotations

import json
import threading
from io import BytesIO
from pathlib import Path

import pytest

from function.http.contract import MAX_EXPLAINED
from function.http.request import UnreadRequest
from function.http.service import RequestFacts, Service
from function.settings import Settings
from model.classifier import Classifier
from model.occlusion import explain
from tests.serving import Server


def test_an_answer_has_explanations_if_they_are_wanted(
    server: Server, classifier: Classifier
) -> None:
    texts = ["butter knife", "raw honey"]
    question = {"inputs": texts, "tasks": ["source", "ingredient"]}
    answer = server.ask({**question, "explain": True})
    assert answer.status == 200
    document = answer.json
    explanations = document.pop("explanations")
    plain = server.ask({**question, "explain": False})
    assert document == plain.json == server.ask(question).json
    assert explanations == explain(classifier, texts, classifier.predict(texts, question["tasks"]))
    assert [list(explanation) for explanation in explanations] == [["source", "ingredient"]] * 2
    assert "explain;dur=" in answer.headers["Server-Timing"]


def test_more_texts_than_can_be_explained(server: Server) -> None:
    texts = ["salt"] * MAX_EXPLAINED
    assert len(server.ask({"inputs": texts, "explain": True}).json["explanations"]) == len(texts)
    answer = server.ask({"inputs": [*texts, "salt"], "explain": True})
    assert answer.status == 400
    assert answer.json["error"] == {
        "code": "too_many_texts",
        "message": "inputs holds 9 texts; send at most 8 with explain.",
        "field": "inputs",
    }
    assert server.ask({"inputs": [*texts, "salt"], "explain": False}).status == 200


class Explained(UnreadRequest):
    """A small request, whose explanations take a turn all the same."""

    method, path = "POST", "/"

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.stream = BytesIO(body)


@pytest.mark.parametrize("wanted", [True, False])
def test_explanations_wait_for_their_turn(bundle_path: Path, wanted: bool) -> None:
    threads = 10**6
    service = Service(Settings(bundle=bundle_path))
    service._turns = type(service._turns)(threads)  # one turn, whatever the machine
    service._turns.take()
    request = Explained(json.dumps({"inputs": "salt", "explain": wanted}).encode())
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(service.answer(request, RequestFacts()).status)

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(1.5 if wanted else 60)
    assert statuses == ([] if wanted else [200])
    service._turns.give()
    asking.join(60)
    assert statuses == [200]
