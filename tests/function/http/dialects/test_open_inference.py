"""Open Inference v2, through the client of Triton and by hand, against the real server."""

from __future__ import annotations

import json
import struct
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from function.http.dialects.infer_request import JSON_LENGTH
from function.http.dialects.open_inference import VERSION
from model.classifier import Classifier
from tests.docs_text import ROOT
from tests.serving import Server, serving

TEXTS = ["raw honey", "crème brûlée", "butter knife"]
INFER = "/v2/models/ingredients/infer"
SECRET = "Zanzibarzebra"


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    made = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield made
    made.close()


def tensor(texts: list[str], binary: bool = False) -> Any:
    made = triton.InferInput("text", [len(texts)], "BYTES")
    made.set_data_from_numpy(np.array(texts, dtype=np.object_), binary_data=binary)
    return made


def body(**changes: Any) -> str:
    text = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["lard"]}
    return json.dumps({"inputs": [{**text, **changes.pop("tensor", {})}], **changes})


def test_health_and_metadata(client: Any, classifier: Classifier) -> None:
    name, version = classifier.bundle.name, classifier.bundle.digest
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(name)
    assert client.is_model_ready(name, version)
    assert not client.is_model_ready(SECRET)
    assert not client.is_model_ready(name, "1")
    assert client.get_server_metadata() == {
        "name": "polyhead", "version": VERSION, "extensions": [],
    }  # fmt: skip
    metadata = client.get_model_metadata(name, version)
    assert (metadata["name"], metadata["versions"]) == (name, [version])
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    outputs = {output["name"]: output["datatype"] for output in metadata["outputs"]}
    for task in classifier.bundle.tasks:
        assert (outputs[f"{task.name}.label"], outputs[f"{task.name}.score"]) == ("BYTES", "FP32")


def test_the_version_is_the_projects() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


@pytest.mark.parametrize("binary", [True, False])
def test_all_outputs_are_those_of_the_classifier(
    client: Any, classifier: Classifier, binary: bool
) -> None:
    answer = client.infer("ingredients", [tensor(TEXTS, binary)], request_id="7")
    document = answer.get_response()
    assert document["id"] == "7"
    assert document["model_version"] == classifier.bundle.digest
    assert len(document["outputs"]) == 2 * len(classifier.bundle.tasks) + 1
    assert answer.as_numpy("truncated").tolist() == [False] * 3
    for task in classifier.bundle.tasks:
        labels = answer.as_numpy(f"{task.name}.label")
        scores = answer.as_numpy(f"{task.name}.score")
        assert labels.shape == scores.shape
        for row, prediction in enumerate(classifier.predict(TEXTS)):
            expected = prediction[task.name]
            assert [label for label in labels[row] if label] == [it["label"] for it in expected]
            actual = scores[row][: len(expected)]
            assert actual == pytest.approx([it["score"] for it in expected], abs=0.02)
            assert not scores[row][len(expected) :].any()


def test_outputs_and_parameters_choose(client: Any) -> None:
    outputs = [
        triton.InferRequestedOutput("source.score"),
        triton.InferRequestedOutput("truncated"),
    ]
    answer = client.infer(
        "ingredients",
        [tensor(["raw honey", "honey " * 1000])],
        outputs=outputs,
        parameters={"top_k": 3, "min_score": 0.001},
    )
    names = [output["name"] for output in answer.get_response()["outputs"]]
    assert names == ["source.score", "truncated"]
    assert answer.as_numpy("source.score").shape == (2, 3)
    assert answer.as_numpy("truncated").tolist() == [False, True]


def test_an_error_is_a_string(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="There is no such model; there is ingred"):
        client.infer(SECRET, [tensor(["lard"])])
    with pytest.raises(InferenceServerException, match=r"no output 'sauce\.label'; ask for"):
        client.infer(
            "ingredients", [tensor(["lard"])], outputs=[triton.InferRequestedOutput("sauce.label")]
        )


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("{", "The body is not JSON"),
        ("[]", "The body is a list"),
        ("{}", 'Send "inputs": a list of one tensor'),
        (body(inputs=[]), 'Send "inputs": a list of one tensor'),
        (body(inputs=["a"]), "inputs[0] is a string; send an object"),
        (body(more=1), "There is no field 'more'; send id, inputs, outputs, parameters only"),
        (body(id=7), "id is a number; send a string"),
        (body(tensor={"name": "texts"}), "inputs[0].name is not 'text'"),
        (body(tensor={"datatype": "FP32"}), "inputs[0].datatype is not 'BYTES'"),
        (body(tensor={"shape": [2]}), "inputs[0].shape is not that of its data; send [1]"),
        (body(tensor={"data": "lard"}), "inputs[0].data is a string; send a list"),
        (body(tensor={"data": [1]}), "inputs[0].data[0] is a number"),
        (body(tensor={"data": [" "]}), "inputs[0].data[0] is blank"),
        (body(tensor={"data": []}), "inputs[0].data is empty"),
        (body(tensor={"data": ["a"] * 257}), "257 texts; send at most 256"),
        (body(tensor={"data": ["a" * 10_001]}), "10001 characters long"),
        (body(parameters={"top_k": 0}), "parameters.top_k is below 1"),
        (body(parameters={"min_score": 2}), "parameters.min_score is 2; send a number from 0"),
        (body(parameters={"sequence_id": 2}), "no field 'parameters.sequence_id'"),
        (body(outputs=[]), "outputs is no list of outputs"),
        (body(outputs=[{}]), 'Send "name": the name of an output'),
        (body(outputs=[{"name": "truncated"}] * 2), "outputs[1].name is there twice"),
    ],
)
def test_what_is_wrong_is_named(server: Server, sent: str, says: str) -> None:
    answer = server.request("POST", INFER, sent)
    assert (answer.status, list(answer.json)) == (400, ["error"])
    assert says in answer.json["error"]


@pytest.mark.parametrize(
    ("binary", "length", "says"),
    [
        (struct.pack("<I", 9) + b"lard", None, "The tensor behind the JSON breaks off"),
        (struct.pack("<I", 4) + b"\xff\xff\xff\xff", None, "is not UTF-8"),
        ((struct.pack("<I", 1) + b"a") * 300, None, "send at most 256"),
        (struct.pack("<I", 4) + b"lard", "100000", "is not a length within the body"),
        (struct.pack("<I", 4) + b"lard", "-1", "is not a length within the body"),
    ],
)
def test_a_wrong_tensor_behind_the_json_is_named(
    server: Server, binary: bytes, length: str | None, says: str
) -> None:
    head = json.loads(body(tensor={"parameters": {"binary_data_size": len(binary)}}))
    del head["inputs"][0]["data"]
    text = json.dumps(head).encode()
    headers = {JSON_LENGTH: length or str(len(text))}
    answer = server.request("POST", INFER, text + binary, headers)
    assert answer.status == 400
    assert says in answer.json["error"]


def test_other_paths_and_methods_answer_in_its_form_too(server: Server) -> None:
    answer = server.request("GET", "/v2/repository/index")
    assert answer.status == 404
    assert "send POST /v2/models/NAME/infer" in answer.json["error"]
    answer = server.request("GET", INFER)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    assert answer.json == {"error": "This path takes POST, OPTIONS; send one of those."}


def test_a_server_without_its_bundle_lives_and_is_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path / "nowhere", tmp_path / "log", "image") as broken:
        assert broken.request("GET", "/v2/health/live").json == {"live": True}
        answer = broken.request("GET", "/v2/health/ready")
        assert (answer.status, list(answer.json)) == (503, ["error"])


def test_the_log_names_routes_and_nothing_that_was_sent(server: Server) -> None:
    server.request("GET", f"/v2/models/{SECRET}/versions/{SECRET}/ready")
    assert server.last_line()["profile"]["route"] == "GET /v2/models/NAME/versions/VERSION/ready"
    server.request("POST", INFER, body(id=SECRET, tensor={"data": [SECRET]}))
    profile = server.last_line()["profile"]
    assert (profile["route"], profile["texts"]) == ("POST /v2/models/NAME/infer", 1)
    names = {span["name"] for span in profile["spans"]}
    assert names >= {"request", "parse", "tokenize", "run", "softmax", "respond"}
    assert SECRET not in server.log.read_text()
