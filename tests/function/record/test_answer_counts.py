"""What log lines count of the answers, from the real server's lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from model.occlusion import explain_and_count
from tests.serving import StrictServer, serving

TEXTS = ["raw honey", "butter knife", "\U0001f36f"]


@pytest.fixture(scope="module")
def server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictServer]:
    with serving(bundle_path, tmp_path_factory.mktemp("counts") / "log", "image") as running:
        yield running


def profile_of(server: StrictServer, path: str, body: Any) -> dict[str, Any]:
    """`profile` of the line that a request wrote."""
    since = server.log.stat().st_size
    answer = server.request("POST", path, json.dumps(body))
    (line,) = server.lines(since)
    assert line["profile"]["status"] == answer.status
    profile: dict[str, Any] = line["profile"]
    return profile


def test_every_protocol_counts_the_same(server: StrictServer, classifier: Classifier) -> None:
    answers = profile_of(server, "/", {"inputs": TEXTS})["answers"]
    assert (answers["unknown"], answers["pieces"]) == (1, sum(map(len, encoded(classifier))))
    model = f"/v2/models/{classifier.bundle.name}/infer"
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(TEXTS)], "data": TEXTS}
    bodies: dict[str, Any] = {
        "/bigquery": {
            "calls": [[text] for text in [*TEXTS, TEXTS[0]]],
            "userDefinedContext": {"reply": "json"},
        },
        "/vertex": {"instances": TEXTS},
        model: {"inputs": [tensor]},
    }
    for path, body in bodies.items():
        assert profile_of(server, path, body)["answers"] == answers, path
    of_source = profile_of(server, "/tasks/source", {"inputs": TEXTS})["answers"]
    assert of_source["tasks"] == {"source": answers["tasks"]["source"]}


def encoded(classifier: Classifier) -> list[list[int]]:
    return [row[1:-1] for row in classifier.encode(TEXTS).ids]


def test_what_is_asked_for_changes_no_count(server: StrictServer) -> None:
    plain = profile_of(server, "/", {"inputs": TEXTS})["answers"]
    assert plain["tasks"]["ingredient"]["labels"]
    question = {"inputs": TEXTS, "top_k": 3, "min_score": {"ingredient": 1.0, "category": 1.0}}
    assert profile_of(server, "/", question)["answers"] == plain


@pytest.mark.parametrize(("path", "body"), [("/", {"inputs": 5}), ("/none", {"inputs": "a"})])
def test_an_error_counts_nothing(server: StrictServer, path: str, body: Any) -> None:
    assert "answers" not in profile_of(server, path, body)


def test_explanations_have_tokens_of_their_own(
    server: StrictServer, classifier: Classifier
) -> None:
    plain = profile_of(server, "/", {"inputs": TEXTS})
    assert "explain_tokens" not in plain
    explained = profile_of(server, "/", {"inputs": TEXTS, "explain": True})
    _, tokens = explain_and_count(classifier, TEXTS, classifier.predict(TEXTS))
    assert tokens > plain["tokens"]
    assert (explained["tokens"], explained["explain_tokens"]) == (plain["tokens"], tokens)
    assert explained["answers"] == plain["answers"]


def test_answers_may_stay_out_of_the_log(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log", "image", LOG_ANSWERS="off") as running:
        profile = profile_of(running, "/", {"inputs": TEXTS})
    assert profile["texts"] == len(TEXTS)
    assert "answers" not in profile
