"""Whether answers changed, told from the lines of the real function, as a user asks for it."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from model.classifier import Classifier
from profiling.logs.logs_command import main
from tables.held_out import HeldOut, record_path, record_text, row_key
from tests.profiling.command import run
from tests.profiling.logs.lines import line
from tests.serving import ROOT, StrictServer, serving

ROWS = ROOT / "training" / "ingredients" / "ingredients.jsonl.gz"
HELD_OUT, USUAL, OTHER = 800, 200, 100
"""Held-out texts; requests as usual, and those of other texts after them."""
MOST_TEXTS = 4
FOREIGN = (
    "鸡胸肉 去骨", "蜂蜜", "大豆油 压榨", "พริกไทยดำ", "米饭 🍚", "牛肉 🥩", "鮭の切り身", "豆腐 🧈",
    "고추장", "पनीर मसाला", "קמח מלא", "ถั่วลิสง",
)  # fmt: skip
LABEL_TASK = "ingredient"
UNLIKELY = 1e-3
"""Chance of the most different of all comparisons, corrected for their number."""


@pytest.fixture(scope="module")
def texts() -> list[str]:
    with gzip.open(ROWS, "rt", encoding="utf-8") as stream:
        rows = [json.loads(row) for row in stream]
    held_out = sorted({row["text"] for row in rows if row["split"] == "test"})
    return random.Random(1).sample(held_out, HELD_OUT)


@pytest.fixture(scope="module")
def bundle(
    bundle_path: Path,
    classifier: Classifier,
    texts: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The shipped bundle, as one that was fitted to none of its held-out texts has its record."""
    copy = tmp_path_factory.mktemp("drift") / "bundle"
    shutil.copytree(bundle_path, copy)
    predictions = classifier.predict(texts)
    answers = {
        task.name: {
            row_key(text, []): [label["label"] for label in prediction[task.name]]
            for text, prediction in zip(texts, predictions, strict=True)
        }
        for task in classifier.bundle.tasks
    }
    record_path(copy).parent.mkdir()
    record_path(copy).write_text(record_text(HeldOut(classifier.bundle.identity, answers)))
    return copy


@pytest.fixture(scope="module")
def logs(bundle: Path, classifier: Classifier, texts: list[str]) -> dict[str, Path]:
    """By name: lines of the usual requests, and after them of other texts."""
    draw = random.Random(2)
    predictions = classifier.predict(texts, [LABEL_TASK])
    labels = [prediction[LABEL_TASK][0]["label"] for prediction in predictions]
    rare = min({*labels}, key=labels.count)
    of_rare = [text for text, label in zip(texts, labels, strict=True) if label == rare]
    paths = {name: bundle.with_name(name) for name in ("usual", "foreign", "mixed")}
    with serving(bundle, bundle.with_name("log"), "image", K_REVISION="r1") as server:
        usual = ask(server, texts, USUAL, draw)
        paths["usual"].write_bytes(usual)
        paths["foreign"].write_bytes(usual + ask(server, FOREIGN, OTHER, draw))
        paths["mixed"].write_bytes(usual + ask(server, of_rare, OTHER, draw))
    return paths


def ask(server: StrictServer, texts: Sequence[str], requests: int, draw: random.Random) -> bytes:
    """Send requests of a few texts each that are drawn; their lines."""
    since = server.log.stat().st_size
    for _ in range(requests):
        inputs = draw.choices(texts, k=draw.randint(1, MOST_TEXTS))
        assert server.ask({"inputs": inputs}).status == 200
    server.lines(since)  # waits for them
    return server.log.read_bytes()[since:]


def drift_of(capsys: pytest.CaptureFixture[str], log: Path, *arguments: str) -> dict[str, Any]:
    assert main(["--file", str(log), "--json", *arguments]) == 0
    (drift,) = json.loads(capsys.readouterr().out)["drift"]
    document: dict[str, Any] = drift
    return document


def test_held_out_texts_raise_no_alarm(
    logs: dict[str, Path], bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drift = drift_of(capsys, logs["usual"], "--drift", str(bundle))
    assert drift["requests"] == [100, 100, HELD_OUT]
    assert {row["reference"] for row in drift["rows"]} == {drift["columns"][0], "held out"}
    chances = [row["shift"]["chance"] for row in drift["rows"]]
    assert min(chances) * len(chances) > UNLIKELY


@pytest.mark.parametrize("name", ["foreign", "mixed"])
def test_other_texts_raise_one_in_their_time_only(
    name: str, logs: dict[str, Path], bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drift = drift_of(capsys, logs[name], "--drift", str(bundle))
    for reference in (drift["columns"][0], "held out"):
        verdicts = {
            row["column"]: row["verdict"]
            for row in drift["rows"]
            if row["reference"] == reference and row["topic"] == f"{LABEL_TASK} labels"
        }
        assert verdicts[drift["columns"][2]] == "changed"
    early = [row for row in drift["rows"] if row["column"] != drift["columns"][2]]
    assert min(row["shift"]["chance"] for row in early) * len(early) > UNLIKELY


def test_unknown_pieces_are_those_that_the_tokenizer_does_not_know(
    logs: dict[str, Path], classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    drift = drift_of(capsys, logs["foreign"], "--drift")
    (row,) = (row for row in drift["shares"] if row["category"] == "unknown")
    tokenizer = classifier._tokenizer
    unknown = [tokenizer.encode(text).tokens.count("[UNK]") for text in FOREIGN]
    assert sum(unknown) > 0
    assert row["shares"][-1] > 10 * max(row["shares"][:2]) + 0.01


def test_a_file_a_pipe_and_entries_of_gcloud_give_the_same_table(
    logs: dict[str, Path], bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = logs["mixed"].read_text("utf-8")
    entries = json.dumps([
        {
            "insertId": str(number),
            "timestamp": payload.pop("time"),
            "severity": payload.pop("severity"),
            "resource": {"labels": {"service_name": "s", "revision_name": "r1"}},
            "jsonPayload": payload,
        }
        for number, payload in enumerate(map(json.loads, lines.splitlines()))
    ])  # fmt: skip
    assert main(["--file", str(logs["mixed"]), "--drift", str(bundle)]) == 0
    of_file = capsys.readouterr().out
    logs["mixed"].with_name("entries").write_text(entries)
    assert main(["--file", str(logs["mixed"].with_name("entries")), "--drift", str(bundle)]) == 0
    assert capsys.readouterr().out == of_file
    pipe = run("logs", "--file", "-", "--drift", str(bundle), stdin=lines)
    assert pipe.stdout == of_file
    first = of_file.splitlines()[0]
    assert "comparisons show a change that is more than noise" in first
    assert f"\n{LABEL_TASK} labels: " in of_file
    assert "\nagainst " in of_file


def test_the_page_has_the_same_tables(logs: dict[str, Path], bundle: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    arguments = ["--file", str(logs["mixed"]), "--drift", str(bundle), "--html", str(page)]
    assert main(arguments) == 0
    text = page.read_text("utf-8")
    assert "comparisons show a change that is more than noise" in text
    assert f"<td>{LABEL_TASK} labels</td>" in text


def test_two_periods_are_compared(
    logs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    times = [json.loads(row)["time"][:26] for row in logs["mixed"].read_text("utf-8").splitlines()]
    periods = f"{times[0]}/{times[USUAL]}", f"{times[USUAL]}/2030-01-01"
    drift = drift_of(capsys, logs["mixed"], "--drift", "--compare", *periods)
    assert drift["columns"] == list(periods)
    topics = {row["topic"] for row in drift["rows"] if row["verdict"] == "changed"}
    assert f"{LABEL_TASK} labels" in topics


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--drift"], 1, "error: no line counts answers: an older version wrote them"),
        (["--drift", "b", "--compare", "r1", "r1"], 2, "--drift takes no BUNDLE with --compare"),
    ],
)
def test_mistakes(
    arguments: list[str],
    status: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = tmp_path / "log"
    log.write_text(json.dumps(line()))
    try:
        actual = main(["--file", str(log), *arguments])
    except SystemExit as end:  # argparse
        actual = int(str(end.code))
    assert actual == status
    assert message in capsys.readouterr().err
