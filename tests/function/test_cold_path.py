"""What is imported on the way to the first answer, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

ANSWER = """
import json, sys
import functions_framework
framework = set(sys.modules)
app = functions_framework.create_app("classify", "main.py")
handler = set(sys.modules)
client = app.test_client()
assert client.get("/health").status_code == 200
alive = set(sys.modules)
answer = client.post("/", data=json.dumps({"inputs": "raw honey"}))
print(json.dumps({
    "status": answer.status_code,
    "framework": sorted(framework),
    "handler": sorted(handler - framework),
    "alive": sorted(alive - framework),
    "answer": sorted(set(sys.modules) - framework),
}))
"""
ASKED_IN_TURN = """
import json, sys
import functions_framework
client = functions_framework.create_app("classify", "main.py").test_client()
imported = {}
for path in ("/", "/bigquery", "/v2/x", "/vertex", "/tasks/x", "/openapi.json"):
    body = {"inputs": "salt"} if path == "/" else {}
    before = set(sys.modules)
    assert client.post(path, data=json.dumps(body)).status_code in (200, 400, 404, 405), path
    new = set(sys.modules) - before
    imported[path] = sorted(name for name in new if "dialects" in name or "openapi" in name)
print(json.dumps(imported))
"""

EXPLAINED = """
import json, sys
import functions_framework
client = functions_framework.create_app("classify", "main.py").test_client()
imported = []
for body in ({"inputs": "salt"}, {"inputs": "salt", "explain": True}):
    assert client.post("/", data=json.dumps(body)).status_code == 200
    imported.append("model.occlusion" in sys.modules)
print(json.dumps({"imported": imported}))
"""

BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in ("google.cloud.logging", "google.cloud.logging_v2", "grpc", "google.api_core"):
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)

sys.meta_path.insert(0, Blocker())
"""

HEAVY = {"numpy", "onnxruntime", "tokenizers"}


def run(script: str, bundle: Path) -> dict[str, Any]:
    environment = {**os.environ, "BUNDLE": str(bundle), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def packages(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_first_answer_imports_nothing_heavy_it_does_not_need(bundle_path: Path) -> None:
    result = run(ANSWER, bundle_path)
    assert result["status"] == 200
    assert "tokenizers" in packages(result["answer"])
    everything = result["framework"] + result["answer"]
    forbidden = {
        "torch",
        "transformers",
        "grpc",
        "training",
        "pandas",
        "sklearn",
        "opentelemetry",
        "matplotlib",
        "numpy",  # a single text needs neither of the two
        "onnxruntime",
    }
    assert packages(everything) & forbidden == set()
    # functions-framework ships and imports google.cloud.functions, a few lines of its own.
    cloud = {name for name in everything if name.startswith("google.cloud.")}
    assert {name for name in cloud if not name.startswith("google.cloud.functions")} == set()
    assert not any(name.startswith("google") for name in result["answer"])


def test_importing_the_handler_and_health_load_nothing(bundle_path: Path) -> None:
    result = run(ANSWER, bundle_path)
    assert packages(result["handler"]) & HEAVY == set()
    assert packages(result["alive"]) & HEAVY == set()


def test_it_runs_without_google_cloud_logging(bundle_path: Path) -> None:
    probe = """
try:
    import google.cloud.logging
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("the blocker does not block")
"""
    assert run(BLOCKED + probe + ANSWER, bundle_path)["status"] == 200


def test_a_wrong_setting_stops_the_start_and_says_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import main"],
        cwd=ROOT,
        env={**os.environ, "MAX_TEXTS": "lots"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "MAX_TEXTS='lots': expected a whole number" in done.stderr


def test_what_explains_is_imported_when_it_is_first_asked(bundle_path: Path) -> None:
    assert run(EXPLAINED, bundle_path) == {"imported": [False, True]}


def test_a_dialect_is_imported_when_it_is_first_asked(bundle_path: Path) -> None:
    imported = run(ASKED_IN_TURN, bundle_path)
    dialects = "function.http.dialects"
    assert imported == {
        "/": [],
        "/bigquery": [dialects, f"{dialects}.bigquery", f"{dialects}.choice"],
        "/v2/x": [f"{dialects}.infer_request", f"{dialects}.open_inference"],
        "/vertex": [f"{dialects}.vertex"],
        "/tasks/x": [f"{dialects}.hugging_face"],
        "/openapi.json": [f"{dialects}.openapi", f"{dialects}.schemas"],
    }
