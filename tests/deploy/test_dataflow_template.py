"""What the Dataflow template, its image and the environment of Beam say is what the command is."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from packaging.requirements import Requirement

from function.__main__ import _parser
from function.settings import Settings
from tests.deploy.locks import named
from tests.docs_text import ROOT

FOLDER = ROOT / "function" / "batch" / "dataflow"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
BEAM = named(ROOT / "requirements-beam.txt")


def test_what_answers_has_the_versions_that_are_served() -> None:
    served = named(ROOT / "requirements.in")
    answering = served.keys() & BEAM.keys()
    assert answering == {"numpy", "onnxruntime", "tokenizers", "tqdm"}
    assert {name: BEAM[name] for name in answering} == {name: served[name] for name in answering}


def test_every_version_is_pinned_and_tables_have_their_libraries() -> None:
    pinned, tables = (pins(f"requirements-{name}.txt") for name in ("beam", "tables"))
    assert all(re.fullmatch(r"==[\d.]+", version) for version in pinned.values())
    newer = {"pyarrow"}  # than Beam takes
    assert {name: pinned[name] for name in tables.keys() - newer} == {
        name: tables[name] for name in tables.keys() - newer
    }
    assert newer <= pinned.keys()


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    return {requirement.name: str(requirement.specifier) for requirement in requirements}


def test_the_workers_have_the_beam_that_is_tested() -> None:
    (version,) = re.findall(
        r"apache-beam\[gcp\]==([\d.]+)", (ROOT / "requirements-beam.txt").read_text()
    )
    assert re.findall(r"^ARG BEAM=(\S+)$", DOCKERFILE, re.MULTILINE) == [
        f"docker.io/apache/beam_python3.11_sdk:{version}"
    ]


def test_the_parameters_are_options_of_the_command() -> None:
    parameters = json.loads((FOLDER / "metadata.json").read_text())["parameters"]
    words = ["beam"]
    for parameter in parameters:
        value = {"top_k": "2"}.get(parameter["name"], "gs://bucket/name")
        assert all(re.search(pattern, value) for pattern in parameter.get("regexes", []))
        words.append(f"--{parameter['name'].replace('_', '-')}={value}")
    options = _parser(Settings()).parse_args(words)
    assert (options.source, options.target, options.top_k) == (*["gs://bucket/name"] * 2, 2)
    required = {one["name"] for one in parameters if not one.get("isOptional")}
    assert required == {"input", "output"}


def test_without_beam_the_command_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_BEAM], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, (
        "error: this command needs apache_beam; install it: "
        "pip install -r requirements-beam.txt\n"
    ))  # fmt: skip


WITHOUT_BEAM = """
import sys
from function.__main__ import main

sys.modules["apache_beam"] = None  # as where it is not installed
sys.exit(main(["beam", "--input", "in.jsonl", "--output", "out"]))
"""


def test_the_serving_image_has_nothing_of_it() -> None:
    serving = (ROOT / "function" / "Dockerfile").read_text(encoding="utf-8")
    assert "beam" not in serving
    assert "batch" not in serving
