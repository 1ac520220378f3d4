"""The smoke test of a deployed service, on a real function, which checks no token itself."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from profiling.smoke import SmokeError, check, main
from tests.serving import serving


def test_a_service_that_answers_strangers_is_a_fault(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log") as server:
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(SmokeError, match="answers 200 without a token; it must be private"):
            check(url, "token", 1, None)
        with pytest.raises(SmokeError, match=r"is of ingredients@.*, not of other@0"):
            check(url, "token", 1, "other@0")


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
