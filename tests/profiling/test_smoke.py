"""The smoke test of a deployed service, on a real function, which checks no token itself."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from model.bundle import Task, read_bundle
from model.bundle_writer import copied_bundle
from profiling.smoke import SmokeError, check, check_answer, main
from tests.serving import serving


def test_a_service_that_answers_strangers_is_a_fault(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log") as server:
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(SmokeError, match="answers 200 without a token; it must be private"):
            check(url, "token", 1, None)
        with pytest.raises(SmokeError, match=r"is of ingredients@.*, not of other@0"):
            check(url, "token", 1, "other@0")


def test_multi_label_tasks_may_have_no_label(bundle_path: Path, tmp_path: Path) -> None:
    source = read_bundle(bundle_path)
    tasks = tuple(
        Task(task.name, "multi", task.labels, task.control_id, thresholds=(1.0,) * len(task.labels))
        for task in source.tasks
    )
    bundle = copied_bundle(source, tmp_path / "tags", tasks=tasks)
    with serving(bundle.path, tmp_path / "log") as server:
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(SmokeError, match="answers 200 without a token"):  # the answers are fine
            check(url, "token", 1, bundle.identity)
        assert server.ask({"inputs": "raw honey"}).json["predictions"] == [
            {task.name: [] for task in tasks}
        ]


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        ({"food": [], "tags": []}, "no label of food for 'raw honey'"),
        ({"food": [{"label": "yes"}], "tags": None}, "no label of tags"),
        ({"food": [{"label": "yes"}]}, r"answers the tasks \['food'\], not \['food', 'tags'\]"),
        ({}, r"answers the tasks \[\], not"),
        ("food", "no prediction in the answer"),
    ],
)
def test_an_answer_that_lacks_a_task_or_its_label_is_a_fault(
    prediction: object, message: str
) -> None:
    tasks = [{"name": "food", "kind": "single"}, {"name": "tags", "kind": "multi"}]
    body = json.dumps({"bundle": "mine@1", "predictions": [prediction]}).encode()
    with pytest.raises(SmokeError, match=message):
        check_answer("URL", body, "mine@1", json.dumps({"tasks": tasks}).encode())
    with pytest.raises(SmokeError, match=r"describes no tasks|no prediction"):
        check_answer("URL", body, "mine@1", b"<html>")


def test_a_service_that_cannot_answer_says_why(tmp_path: Path) -> None:
    with serving(tmp_path / "nowhere", tmp_path / "log") as server:
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(SmokeError, match=r"answers 503: .*bundle_unusable"):
            check(url, "token", 1, None)


def test_no_service_is_a_fault() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(SmokeError, match="no answer"):
            check(url, "token", 1, None)


def test_it_asks_for_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("IDENTITY_TOKEN", raising=False)
    with pytest.raises(SystemExit, match="2"):
        main(["http://127.0.0.1"])
    assert "set IDENTITY_TOKEN" in capsys.readouterr().err
