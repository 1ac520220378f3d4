"""A sealed start whose files were altered without a trace: damage is named after one answer."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from model.session import COPY
from model.tokenizer_file import RULES
from profiling.reliability.installation import install, run, start_command
from tests.serving import StrictServer

pytestmark = pytest.mark.slow
VERIFIED_S = 0.5


@pytest.fixture
def image(tmp_path: Path, bundle_path: Path) -> Path:
    """A folder as the image has it: the code, the bundle, its sealed copy."""
    folder = install(tmp_path / "app", bundle_path)
    run(folder, "-m", "function.graph", "--seal").check_returncode()
    return folder


def damage(file: Path, content: bytes) -> None:
    """Other bytes of the same number, under the old time."""
    status = file.stat()
    assert len(content) == status.st_size
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def profiles(server: StrictServer) -> list[dict[str, Any]]:
    log = server.log.read_text(encoding="utf-8")
    lines = [line for line in log.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def asked_three_times(image: Path, log: Path) -> tuple[list[Any], list[dict[str, Any]], str]:
    """The answers with time to verify after the first, the log's lines, and the whole log."""
    server = StrictServer(image / "bundle", log, command=start_command(image))
    try:
        server.wait_until_listening()
        answers = []
        for _ in range(3):
            answers.append(server.ask({"inputs": "raw honey"}))
            time.sleep(VERIFIED_S)
        return answers, profiles(server), log.read_text(encoding="utf-8")
    finally:
        server.stop()


def test_an_undamaged_start_hashes_nothing_before_its_answer(image: Path, tmp_path: Path) -> None:
    answers, lines, _ = asked_three_times(image, tmp_path / "log")
    assert [answer.status for answer in answers] == [200] * 3
    assert [line["profile"]["graph"] for line in lines] == ["copy"] * 3
    names = [span["name"] for span in lines[0]["profile"]["spans"]]
    assert names.count("verify") == 1  # without a seal, the bundle's own follows


def test_an_altered_copy_is_named_and_the_bundle_answers_from_then_on(
    image: Path, tmp_path: Path, classifier: Classifier
) -> None:
    (file,) = image.glob(f".graphs/*/{COPY}")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    damage(file, bytes(content))
    answers, lines, _ = asked_three_times(image, tmp_path / "log")
    (error,) = [line for line in lines if line["severity"] == "ERROR"]
    assert "model.ort: its sha256 is not the one in copy.json; the file was altered" in str(error)
    graphs = [line["profile"]["graph"] for line in lines if "profile" in line]
    assert graphs == ["copy", "bundle", "bundle"]
    assert answers[1].json["predictions"] == classifier.predict(["raw honey"])


def test_a_bundle_that_was_altered_is_refused_from_then_on(image: Path, tmp_path: Path) -> None:
    file = image / "bundle" / "model.onnx"
    damage(file, file.read_bytes()[::-1])
    answers, lines, _ = asked_three_times(image, tmp_path / "log")
    assert [answer.status for answer in answers] == [200, 503, 503]
    assert "model.onnx: its sha256" in answers[1].json["error"]["message"]
    assert "model.onnx: its sha256" in next(
        line["message"] for line in lines if line["severity"] == "ERROR"
    )


def test_a_prepared_tokenizer_that_cannot_be_read_costs_nobody_the_answer(
    image: Path, tmp_path: Path, classifier: Classifier
) -> None:
    (file,) = image.glob(f".graphs/*/{RULES}")
    damage(file, b"x" * file.stat().st_size)
    answers, _, log = asked_three_times(image, tmp_path / "log")
    assert answers[0].json["predictions"] == classifier.predict(["raw honey"])
    assert "its tokenizer is not used, make it anew" in log
