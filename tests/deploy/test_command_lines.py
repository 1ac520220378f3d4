"""Every gcloud command line of the docs is parsed by the real gcloud.

Without credentials a right line fails after parsing, for want of an account (exit status 1), and a
wrong one while parsing (exit status 2): the two are told apart, and a test shows that they are.
Those of the Cloud Build files need no parsing here: the other tests run them.
"""

from __future__ import annotations

import re

import pytest

from tests.deploy.gcloud import Shell
from tests.deploy.operator import BLOCKS, VARIABLES
from tests.docs_text import ALL, ROOT

AFTER_PARSING = "You do not currently have an active account selected"
LOCAL = ("gcloud config set",)  # does its work without an account
LINES = [
    found
    for block in BLOCKS
    for line in block.splitlines()
    for found in re.findall(r"^gcloud .*|(?<=\$\()gcloud [^()]*(?:\([^()]*\)[^()]*)*(?=\))", line)
]
GROUPS = "|".join({line.split()[1] for line in LINES})
DATAFLOW = "function/batch/dataflow"
TEMPLATE = ("cloudbuild.yaml", "metadata.json")
BUILDS = ("cloudbuild.yaml", "cloudbuild-train.yaml")
OF_A_BUNDLE = ("mine/bundle.json", "mine.report/held_out.json", "mine.work/replay.jsonl")
TEXTS = [
    path
    for pattern in ("*.md", "*.yaml", "*.toml", "Makefile", "[fmpt]*/**/*.py", "*/Dockerfile")
    for path in ROOT.glob(pattern)
    if path.name not in (*BUILDS, "README.md", "CHANGELOG.md")
    and not {"tests", "logs"}.intersection(path.parts)
]
"""Where no other gcloud command may stand than one of the docs. Of the log reader's, which only
speaks of them, tests/profiling has the lines."""


def parse(shell: Shell, line: str) -> tuple[int, str]:
    """Exit status and what gcloud said, in a folder that has the files that the docs name."""
    (shell.folder / "service.local.yaml").write_text((ROOT / "service.yaml").read_text())
    (shell.folder / DATAFLOW).mkdir(parents=True, exist_ok=True)
    for name in ("main.py", *BUILDS, *(f"{DATAFLOW}/{name}" for name in TEMPLATE)):
        (shell.folder / name).write_text((ROOT / name).read_text())
    for name in OF_A_BUNDLE:
        (shell.folder / name).parent.mkdir(exist_ok=True)
        (shell.folder / name).touch()
    done = shell.run("bash", "-c", VARIABLES + line, stdin="")
    return done.returncode, done.stderr


def test_no_line_is_left_out() -> None:
    assert ALL.count("```sh\n") == len(BLOCKS)
    assert len(LINES) == sum(block.count("gcloud ") for block in BLOCKS)
    for path in TEXTS:
        for command in re.findall(rf"\bgcloud (?:{GROUPS}) [a-z].*", path.read_text("utf-8")):
            assert any(command.startswith(line) for line in LINES), f"{path}: {command}"


@pytest.mark.gcloud
@pytest.mark.parametrize("line", LINES)
def test_a_line_is_parsed(gcloud_offline: Shell, line: str) -> None:
    status, said = parse(gcloud_offline, line)
    if line.startswith(LOCAL):
        assert status == 0, said
    else:
        assert (status, AFTER_PARSING in said) == (1, True), said


@pytest.mark.gcloud
@pytest.mark.parametrize(
    "line",
    [
        "gcloud run deploy polyhead --image=i --no-such-option",
        "gcloud run deploy polyhead --image=i --execution-environment=gen3",
        "gcloud run services update-traffic polyhead --to-revisions=half",
        "gcloud builds submit --config",
    ],
)
def test_a_wrong_line_is_told_apart(gcloud_offline: Shell, line: str) -> None:
    status, said = parse(gcloud_offline, line)
    assert (status, AFTER_PARSING in said) == (2, False), said
