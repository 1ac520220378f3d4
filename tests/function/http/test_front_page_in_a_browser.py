"""The page in a real Chromium, before the real function."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from model.classifier import Classifier
from model.manifest import HEAD, HEAD_TAIL, TAIL
from tests.devtools import Tab, browsing
from tests.serving import StrictServer, serving

pytestmark = pytest.mark.browser
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
ANSWERED = (
    "document.querySelector('#answers *') && document.querySelector('#status').innerText != '…'"
)
CARDS = "[...document.querySelectorAll('.card')].map(card => card.innerText)"


@pytest.fixture(scope="module")
def running(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictServer]:
    """Serves the shipped bundle, one of whose labels is HTML."""
    folder = tmp_path_factory.mktemp("hostile")
    bundle = folder / "bundle"
    shutil.copytree(bundle_path, bundle)
    manifest = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    labels = manifest["tasks"][1]["labels"]
    labels[labels.index("animal_product")] = HOSTILE
    (bundle / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    with serving(bundle, folder / "log", "image", MAX_TEXTS="40") as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab) -> Iterator[Tab]:
    """An empty tab; whatever it shows may not throw, nor break the page's policy."""
    browser.call("Page.navigate", url="about:blank")
    yield browser
    assert browser.faults == []


def show(tab: Tab, server: StrictServer, text: str, width: int = 1000, scheme: str = "") -> None:
    tab.call("Page.navigate", url="about:blank")  # another fragment alone loads nothing
    tab.open(f"{server.address}/#{quote(text)}", width, scheme or "light")
    tab.wait_for(ANSWERED)


def test_bars_come_as_one_types(tab: Tab, running: StrictServer, classifier: Classifier) -> None:
    tab.open(f"{running.address}/")
    tab.wait_for("document.title.startsWith('ingredients@')")
    before = len(running.lines())
    for character in "salmon":  # the text has the focus
        tab.type(character)
    tab.wait_for(ANSWERED)
    cards = tab.run(CARDS)
    (prediction,) = classifier.predict(["salmon"])
    assert [card.split("\n")[0] for card in cards] == list(prediction)
    for card, labels in zip(cards, prediction.values(), strict=True):
        assert labels[0]["label"] in card
        assert f"{100 * labels[0]['score']:.0f}"[0] in card
    assert "▲ salmon: " in cards[1]
    widths = "[...document.querySelectorAll('.card .bar')].map(bar => bar.offsetWidth)"
    assert max(tab.run(widths)) > 100
    posts = [line for line in running.lines()[before:] if line["message"] == "POST / 200"]
    assert 1 <= len(posts) < len("salmon"), "letters typed quickly are asked about once"


def test_what_a_user_or_a_bundle_says_stays_text(tab: Tab, running: StrictServer) -> None:
    show(tab, running, f"raw honey {HOSTILE}")
    show(tab, running, f"raw honey\n{HOSTILE}")
    assert HOSTILE in tab.run("document.querySelector('tbody').innerText")
    show(tab, running, "raw honey")
    assert HOSTILE in tab.run(CARDS)[1]
    assert HOSTILE in tab.run("document.querySelector('#tasks').textContent")
    assert tab.run("document.querySelectorAll('script, img').length") == 1
    assert "owned" not in tab.run("document.title")


def test_many_lines_are_answered_and_those_cut_are_marked(
    tab: Tab, running: StrictServer, classifier: Classifier
) -> None:
    lines = [*(f"{number} eggs" for number in range(99)), "salt " * 99]
    show(tab, running, "\n\n".join(lines))
    tab.wait_for("document.querySelectorAll('tbody tr').length == 100")
    assert "100 texts, 1 of them cut" in tab.run("document.querySelector('#status').innerText")
    assert tab.run("document.querySelectorAll('tbody .cut').length") == 1
    assert tab.run("document.querySelector('tbody tr:last-child .cut') !== null")
    tab.run("document.querySelector('tbody tr:last-child button').focus()")
    tab.press("Enter", 13)
    tab.wait_for("document.querySelector('.card')")
    limit = classifier.bundle.max_tokens
    first, last = f"its first {limit}", f"its last {limit}"
    part = {HEAD: first, TAIL: last, HEAD_TAIL: f"its first and last {limit // 2}"}
    assert f"Cut: the answers are of {part[classifier.bundle.long_texts]} tokens." in tab.run(
        "document.querySelector('#answers').innerText"
    )


def test_it_tells_how_long_each_part_took_and_the_same_call(
    tab: Tab, running: StrictServer
) -> None:
    show(tab, running, "baker's \\ yeast")
    spans = tab.run("[...document.querySelectorAll('#spans li')].map(row => row.innerText)")
    assert {"request", "run", "explain"} <= {span.split("\n")[0] for span in spans}
    curl = tab.run("document.querySelector('#curl').textContent")
    assert curl.startswith(f"curl -s '{running.address}/' -d '")
    question = json.loads(curl.split(" -d ")[1][1:-1].replace("'\\''", "'"))
    assert question == {"inputs": "baker's \\ yeast", "top_k": 3, "explain": True}
    code = tab.run("document.querySelector('#python').textContent")
    variables: dict[str, object] = {}
    exec(code, variables)  # as a user would run it
    assert variables["question"] == question


def test_an_error_is_shown(tab: Tab, running: StrictServer) -> None:
    tab.open(f"{running.address}/#{'x' * 10_001}")
    tab.wait_for("document.querySelector('#status.problem')")
    assert "10001 characters long" in tab.run("document.querySelector('#status').innerText")
    tab.faults[:] = [fault for fault in tab.faults if "400" not in json.dumps(fault)]


def test_the_keyboard_reaches_everything(tab: Tab, running: StrictServer) -> None:
    show(tab, running, "raw honey\nsalt")
    tab.run("document.querySelector('#text').focus()")
    reached = []
    for _ in range(20):
        tab.press("Tab", 9)
        reached.append(tab.run("document.activeElement.id || document.activeElement.tagName"))
        outline = tab.run("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid" or reached[-1] == "BODY"
    assert {"explain", "clear", "BUTTON", "curl", "python", "SUMMARY"} <= set(reached)


@pytest.mark.parametrize("text", ["raw honey", "raw honey\n" + "x" * 200])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_sticks_out(tab: Tab, running: StrictServer, text: str, width: int) -> None:
    show(tab, running, text, width)
    assert tab.run("innerWidth") == width
    assert tab.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(251, 250, 247)"), ("dark", "rgb(22, 25, 29)")]
)
def test_it_follows_the_readers_scheme(
    tab: Tab, running: StrictServer, scheme: str, paper: str
) -> None:
    show(tab, running, "raw honey", scheme=scheme)
    assert tab.run("getComputedStyle(document.body).backgroundColor") == paper
