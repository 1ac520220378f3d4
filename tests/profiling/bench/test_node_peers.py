"""Both peers on Node answer as our classifier does, so that their starts may be compared."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from profiling.bench import node_peers
from profiling.bench.contenders import CONTENDERS, missing
from profiling.bench.launch import Spawned, StartPlan
from profiling.bench.limits import CpuMemoryLimits, limited
from profiling.server import HOST, ROOT

pytestmark = pytest.mark.slow
TEXTS = [
    "raw honey",
    "boneless chicken breast",
    "butter knife",
    "Crème fraîche, 30 % 脂肪",
    "a " * 90,
]
WRONG = [{}, {"inputs": []}, {"inputs": 3}, {"inputs": ["raw honey", None]}, ["raw honey"]]


@pytest.fixture(scope="module")
def plan(bundle_path: Path) -> StartPlan:
    """Of a start of either peer, once what they open is made anew from the code as it is."""
    if problems := missing([node_peers.NODE_24]):
        pytest.skip(problems[0])
    node_peers.prepare(bundle_path)
    return StartPlan(bundle_path, "", TEXTS[0], {}, CpuMemoryLimits(), warm_requests=0, burst=False)


@pytest.fixture(scope="module", params=["node", "node-bare", "node26-bare"])
def connection(
    request: pytest.FixtureRequest, plan: StartPlan, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[http.client.HTTPConnection]:
    """To a running peer, which is ended afterwards."""
    contender = CONTENDERS[request.param]
    if problems := missing(contender.needs):
        pytest.skip(problems[0])
    log = tmp_path_factory.mktemp(request.param) / "log"
    with (
        limited(plan.limits) as group,
        closing(Spawned(contender, plan, group, log)) as spawned,
        closing(http.client.HTTPConnection(HOST, spawned.port, timeout=20)) as connection,
    ):
        spawned.connect().close()
        yield connection


def ask(connection: http.client.HTTPConnection, body: str) -> tuple[int, Any]:
    """Status and JSON of an answer, over the one connection that is kept."""
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    return response.status, json.loads(response.read())


def assert_alike(predictions: list[Any], classifier: Classifier, texts: list[str]) -> None:
    """The labels of our classifier, and its scores within 0.02."""
    for prediction, ours in zip(predictions, classifier.predict(texts), strict=True):
        assert prediction.keys() == ours.keys()
        for task, entries in ours.items():
            labels = {entry["label"]: entry["score"] for entry in prediction[task]}
            expected = {entry["label"]: entry["score"] for entry in entries}
            assert labels == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("text", TEXTS)
def test_one_text_is_answered_as_our_classifier_does(
    connection: http.client.HTTPConnection, classifier: Classifier, text: str
) -> None:
    status, answer = ask(connection, json.dumps({"inputs": text}))
    assert status == 200
    assert_alike(answer["predictions"], classifier, [text])


def test_a_list_is_answered_as_our_classifier_does(
    connection: http.client.HTTPConnection, classifier: Classifier
) -> None:
    status, answer = ask(connection, json.dumps({"inputs": TEXTS}))
    assert status == 200
    assert_alike(answer["predictions"], classifier, TEXTS)


@pytest.mark.parametrize("body", WRONG, ids=json.dumps)
def test_a_wrong_body_is_a_400_that_says_what_to_send(
    connection: http.client.HTTPConnection, body: Any
) -> None:
    status, answer = ask(connection, json.dumps(body))
    assert status == 400
    assert answer == {"error": {"message": 'Send {"inputs": "raw honey"}.'}}


def test_code_is_cached_for_each_version_of_node(plan: StartPlan) -> None:
    versions = {folder.name.split("-")[0] for folder in node_peers.CODE_CACHE.iterdir()}
    assert {version.split(".")[0] for version in versions} == {"v24", "v26"}


def test_the_peers_pin_what_they_install() -> None:
    folder = ROOT / "profiling" / "bench" / "peers" / "node"
    package = json.loads((folder / "package.json").read_text())
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    pins = [package[key] for key in package if key.lower().endswith("dependencies")]
    assert len(pins) == 3
    for name, version in (pin for group in pins for pin in group.items()):
        assert locked[f"node_modules/{name}"]["version"] == version.rpartition("@")[2]


def test_the_peers_share_the_code_that_answers() -> None:
    for name in ("index.js", "bare.js"):
        assert "require('./answers.js')" in (node_peers.NODE / name).read_text()
