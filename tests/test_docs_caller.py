"""The caller of docs/callers.md, as it stands there, against the real process."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model.bundle import TOKENIZER
from model.classifier import Classifier
from profiling.server import START_S
from tests.deploy.standin.metadata import Metadata
from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response, listening
from tests.deploy.standin.tokens import Tokens
from tests.docs_text import fenced
from tests.function.http.test_bursts import half_bodies
from tests.serving import Server, serving

pytestmark = pytest.mark.slow
((_, CALLER),) = [block for block in fenced("python") if block[0] == "docs/callers.md"]
ACCOUNT = "caller@my-project.iam.gserviceaccount.com"
ADDRESS = "http://polyhead-abc.run.test"
BEFORE = """
import time
waits_s, sleep = [], time.sleep
time.sleep = lambda seconds: (waits_s.append(seconds), sleep(seconds))
"""
AFTER = """
import json, sys
predictions = predict(json.load(open(sys.argv[1])))
try:
    predict(["raw honey", " "])
except RuntimeError as error:
    refusal = str(error)
pools = session.get_adapter(URL).poolmanager.pools
connections = sum(pools[key].num_connections for key in pools.keys())
seen = {"refusal": refusal, "connections": connections, "waits_s": waits_s}
print(json.dumps({"predictions": predictions, **seen}))
"""
"""What is typed before and after it: more texts, and how they were sent."""


@dataclass(frozen=True)
class Google:
    """Its metadata server and tokens, and what a program there has in its environment."""

    cloud: Cloud
    tokens: Tokens
    environment: Mapping[str, str]
    folder: Path
    callers: ExitStack
    """Ends them."""

    def start(self, url: str, texts: list[str]) -> subprocess.Popen[str]:
        """The caller, with a service's address, and more texts for its `predict`."""
        (self.folder / "texts.json").write_text(json.dumps(texts))
        process = subprocess.Popen(
            [sys.executable, "-c", BEFORE + CALLER + AFTER, str(self.folder / "texts.json")],
            env={**self.environment, "URL": url},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.callers.enter_context(process)
        self.callers.callback(process.kill)
        return process


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    cloud = Cloud()
    tokens = Tokens(cloud)
    Metadata(cloud, tokens, ACCOUNT)
    with listening(cloud) as port:
        proxy = {"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": "127.0.0.1"}
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("GOOGLE_")
        }
        with ExitStack() as callers:
            yield Google(cloud, tokens, {**environment, **proxy}, tmp_path, callers)


def outcome(process: subprocess.Popen[str]) -> tuple[str, Any]:
    """What the caller itself prints, and what is typed after it."""
    output, errors = process.communicate(timeout=START_S)
    assert process.returncode == 0, errors
    printed, _, last = output.strip().rpartition("\n")
    return printed, json.loads(last)


def wait_for(server: Server, message: str) -> None:
    """Until the server has logged it."""
    deadline_s = time.monotonic() + START_S
    while f'"{message}' not in server.log.read_text():
        assert time.monotonic() < deadline_s, server.log.read_text()
        time.sleep(0.02)


def test_it_calls_with_a_token_for_the_service_and_replaces_it_when_it_is_refused(
    google: Google, bundle_path: Path, classifier: Classifier, tmp_path: Path
) -> None:
    texts = [f"raw honey {number}" for number in range(520)]
    answered: list[str | None] = []

    def answer(request: Request) -> Response:
        """As Cloud Run does before the function; the first token is taken twice."""
        if google.tokens.issued.get(request.token or "") != (f"serviceAccount:{ACCOUNT}", ADDRESS):
            raise RefusalError(401, "no valid identity token for this audience")
        reply = server.request("POST", "/", request.body)
        if reply.status == 200:
            answered.append(request.token)
        if len(answered) == 2:
            google.tokens.issued[request.token or ""] = ("revoked", "")
        return Response(reply.status, reply.body, {"Content-Type": "application/json"})

    google.cloud.serve(lambda host: host == "polyhead-abc.run.test", answer)
    with serving(bundle_path, tmp_path / "log", "image") as server:
        printed, after = outcome(google.start(ADDRESS, texts))
    assert len(printed.splitlines()) == 2
    assert re.match(r"raw honey \{.*'source': \['", printed)
    chunks = [texts[:256], texts[256:512], texts[512:]]
    assert after["predictions"] == [row for chunk in chunks for row in classifier.predict(chunk)]
    assert len(answered) == 4
    assert answered == [answered[0]] * 2 + [answered[2]] * 2
    assert len(google.tokens.issued) == 2


def test_it_comes_again_when_it_is_told_to(
    google: Google, bundle_path: Path, classifier: Classifier, tmp_path: Path
) -> None:
    texts = [f"raw honey {number}".ljust(600) for number in range(256)]
    with serving(bundle_path, tmp_path / "log", "image", MAX_BYTES="200000") as server:
        with half_bodies(server, 24, 200_000):
            caller = google.start(server.address, texts)
            wait_for(server, "POST / 429")
        _, after = outcome(caller)
    assert after["predictions"] == classifier.predict(texts)
    assert 1 < after["waits_s"][0] < 2


def test_it_comes_again_until_the_bundle_is_mended_over_one_connection(
    google: Google, bundle_path: Path, classifier: Classifier, tmp_path: Path
) -> None:
    texts = [f"raw honey {number}" for number in range(300)]
    damaged = Path(shutil.copytree(bundle_path, tmp_path / "bundle")) / TOKENIZER
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1])
    with serving(damaged.parent, tmp_path / "log", "image") as server:
        caller = google.start(server.address, texts)
        wait_for(server, "POST / 503")
        damaged.write_bytes(content)
        _, after = outcome(caller)
        messages = [entry["message"] for entry in Server.lines(server)]
    assert after["predictions"] == [
        *classifier.predict(texts[:256]), *classifier.predict(texts[256:])
    ]  # fmt: skip
    assert after["connections"] == 1
    assert after["refusal"].startswith('400: {"error": {"code": "blank_text"')
    assert messages.count("POST / 400") == 1
