"""A bundle answers in a page of a real browser as in Python."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from tests.clients.comparison import assert_same_answers
from tests.clients.javascript import HERE, node_command, served
from tests.clients.odd_texts import odd_texts
from tests.devtools import Tab, browsing
from tests.docs_text import fenced

pytestmark = pytest.mark.js
RUNTIME = "/clients/js/node_modules/onnxruntime-web/dist"
CDN = re.compile(r"https://cdn\.jsdelivr\.net/npm/onnxruntime-web@[\d.]+/dist")
ANSWERS = """(async () => {{
  const {{ Classifier }} = await import("polyhead");
  const {{ answersTo }} = await import("/tests/clients/calls.js");
  return answersTo(Classifier, {});
}})()"""

WORKER = """new Promise((resolve, reject) => {{
  const worker = new Worker("/tests/clients/worker.js", {{ type: "module" }});
  worker.onmessage = ({{ data }}) => resolve(data);
  worker.onerror = reject;
  worker.postMessage({});
}})"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    node_command()
    if shutil.which("chromium") is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with browsing(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture(scope="module")
def standard(standard_path: Path) -> Classifier:
    return Classifier.load(standard_path)


def call_page(tab: Tab, bundle: Path, *calls: tuple[Any, Any]) -> Any:
    """What the client answers in a page, to which the bundle's address is relative."""
    others = {f"/bundle/{file.name}": file.read_bytes() for file in bundle.iterdir()}
    others["/page/index.html"] = (HERE / "page.html").read_bytes()
    request = [{"texts": texts, "options": options} for texts, options in calls]
    with served(others) as address:
        tab.open(f"{address}/page/index.html")
        return tab.run(ANSWERS.format(json.dumps({"bundle": "../bundle", "calls": request})))


def test_the_whole_test_split(tab: Tab, standard: Classifier, held_out_texts: list[str]) -> None:
    outcome = call_page(tab, standard.bundle.path, (held_out_texts, {}))
    assert outcome["identity"] == standard.bundle.identity
    assert_same_answers(outcome["answers"][0], standard, held_out_texts)
    assert tab.faults == []


def test_odd_texts(tab: Tab, standard: Classifier) -> None:
    texts = odd_texts(200, seed=2)
    options = {"tasks": ["category", "source"], "topK": 2}
    (answers,) = call_page(tab, standard.bundle.path, (texts, options))["answers"]
    assert_same_answers(answers, standard, texts, options)


def test_a_page_computes_with_activations_in_fp32(
    tab: Tab, bundle_path: Path, standard: Classifier, held_out_texts: list[str]
) -> None:
    """The shipped bundle's answers there are those of its copy in standard operators."""
    texts = held_out_texts[::16]
    (answers,) = call_page(tab, bundle_path, (texts, {}))["answers"]
    assert_same_answers(answers, standard, texts)


def test_a_worker(tab: Tab, standard: Classifier) -> None:
    texts = ["raw honey", "butter knife", "salt " * 500]
    files = {f"/bundle/{file.name}": file.read_bytes() for file in standard.bundle.path.iterdir()}
    with served({**files, "/index.html": (HERE / "page.html").read_bytes()}) as address:
        tab.open(f"{address}/index.html")
        answers = tab.run(WORKER.format(json.dumps({"bundle": "/bundle", "texts": texts})))
    assert_same_answers(answers, standard, texts)


def test_what_is_wrong_is_told_in_a_page(tab: Tab, standard: Classifier, tmp_path: Path) -> None:
    calls = [(["a", 3], {}), (["a"], {"tasks": ["x"]})]
    outcome = call_page(tab, standard.bundle.path, *calls)
    wrong, unknown = (answer["error"] for answer in outcome["answers"])
    assert wrong == "TypeError: texts[1] is 3; send a list of strings"
    assert unknown.startswith('RangeError: unknown tasks: "x"')
    error = call_page(tab, tmp_path)["error"]
    assert re.match(r"BundleError: \.\./bundle: bundle\.json: 404", error)


def test_the_page_of_the_docs_answers_while_one_types(tab: Tab) -> None:
    ((_, page),) = fenced("html")
    page, addresses = CDN.subn(RUNTIME, page)
    assert addresses == 1
    with served({"/index.html": page.encode()}) as address:
        tab.open(f"{address}/index.html")
        tab.wait_for("document.querySelector('output').innerText === 'animal_product'")
        tab.run("document.querySelector('input').select()")
        tab.type("boneless chicken breast")
        tab.wait_for("document.querySelector('output').innerText === 'animal'")
