"""The report on the shipped bundle: what it holds, and that its figures are its samples'."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from model.bundle import read_bundle
from model.bundle_writer import copied_bundle
from profiling.report import accuracy
from profiling.report.cost import PRICES, Prices
from profiling.report.harness import Harness
from profiling.report.options import read_options
from profiling.report.probes import PROBES
from profiling.report.report_command import main, write_files
from profiling.report.texts import TextsError, find_data, read_examples
from tables.held_out import HeldOut, record_path, record_text, row_key
from tables.toml_file import read_toml
from tests.profiling.report.conftest import Report


def test_every_probe_measured_something(report: Report) -> None:
    stages = report.document["stages"]
    assert list(stages) == [probe.name for probe in PROBES]
    assert report.document["problems"] == []
    assert stages["starts"]["starts"] >= 2
    assert stages["starts"]["first_answer_ms"] > stages["starts"]["listening_ms"] > 0
    assert stages["steps"]["closed"]["throughput"] > 0
    assert stages["steady"]["errors"] == stages["single"]["errors"] == 0
    assert stages["steady"]["cpu_ms_per_request"] > 0
    assert report.document["facts"]["memory_mb"] > 20


def test_the_percentiles_are_numpys_on_the_kept_samples(report: Report) -> None:
    document = report.document
    steps = document["stages"]["steps"]["steps"]
    runs = {f"step {number}": step for number, step in enumerate(steps, 1)}
    runs |= {name: document["stages"][name] for name in ("single", "steady")}
    runs["closed"] = document["stages"]["steps"]["closed"]
    for name, figures in runs.items():
        sample = {key: np.asarray(column) for key, column in document["samples"][name].items()}
        latency = (sample["done"] - sample["due"])[sample["status"] == 200]
        assert figures["samples"] == len(latency) > 0
        for share in (50, 90, 95, 99):
            assert figures[f"p{share}_ms"] == pytest.approx(np.percentile(latency, share), abs=1e-3)


def test_a_latency_counts_from_when_the_request_was_due(report: Report) -> None:
    sample = report.document["samples"]["steady"]
    assert all(due <= sent for due, sent in zip(sample["due"], sample["sent"], strict=True))
    assert all(sent < done for sent, done in zip(sample["sent"], sample["done"], strict=True))


def test_the_waterfalls_hold_the_functions_own_spans(report: Report) -> None:
    cold = report.document["stages"]["starts"]["waterfall"]["spans"]
    warm = report.document["stages"]["single"]["waterfall"]
    assert {"load", "import_onnxruntime", "run"} <= {span["name"] for span in cold}
    assert {"tokenize", "run", "softmax"} <= {span["name"] for span in warm}
    assert "load" not in {span["name"] for span in warm}


def test_operators_have_their_shares(report: Report) -> None:
    operators = report.document["stages"]["operators"]
    shares = [kind["share"] for kind in operators["kinds"]]
    assert shares == sorted(shares, reverse=True)
    assert 0.5 < sum(shares) <= 1.001
    assert operators["kinds"][0]["name"].startswith("MatMul")
    assert all(kind["us"] > 0 for kind in operators["kinds"])


def test_larger_requests_cost_the_client_less_a_text(report: Report) -> None:
    rows = report.document["stages"]["batches"]["rows"]
    assert rows[-1]["texts"] > rows[0]["texts"] == 1
    assert rows[-1]["client_cpu_ms_per_text"] < rows[0]["client_cpu_ms_per_text"]


def test_gzip_is_measured_beside_plain(report: Report) -> None:
    rows = report.document["stages"]["payload"]["rows"]
    assert [row["gzip"] for row in rows[:2]] == [False, True]
    assert rows[-1]["request_bytes"] < rows[-2]["request_bytes"]


def test_served_answers_are_about_as_right_as_the_bundle_claims(report: Report) -> None:
    accuracy = report.document["stages"]["accuracy"]
    assert accuracy["texts"] >= 32
    for task in accuracy["tasks"].values():
        assert task["served"] == pytest.approx(task["claimed"], abs=25)  # of a few texts only


def test_the_page_needs_nothing_else(report: Report) -> None:
    page = report.page
    assert "<script" not in page
    assert "<link" not in page
    assert "@import" not in page
    links = set(re.findall(r'(?:src|href)="([^"#][^"]*)"', page))
    assert links == {"https://cloud.google.com/run/pricing"}
    assert page.count("<svg") == 8
    assert "None in these probes." in page
    assert f"of {read_toml(Prices, PRICES).date}" in page
    body = page.partition("</style>")[2]
    assert re.findall(r"(?<!, )#[0-9a-f]{6}\b", body) == [], "colours that follow no scheme"


def test_texts_stay_out_of_it(report: Report, bundle_path: Path) -> None:
    bundle = read_bundle(bundle_path)
    examples = read_examples(bundle, find_data(bundle), "text")
    written = report.page + (report.folder / "report.json").read_text() + report.output
    long = [example.text for example in examples if len(example.text) > 20]
    assert len(long) > 500
    assert [text for text in long if text in written] == []


def test_progress_and_verdicts_are_told(report: Report) -> None:
    for probe in PROBES:
        assert f"{probe.name}: {probe.description}" in report.output
    for verdict in report.document["verdicts"]:
        assert verdict["title"] in report.output
        assert verdict["title"] in report.page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no such directory"),
        (["BUNDLE", "--data", "nowhere.csv"], "nowhere.csv: No such file"),
        (["BUNDLE", "--tasks", "sauce"], "no task 'sauce' in the bundle; give some of ingredient"),
        (["BUNDLE", "--text", "name"], "no rows of the test split with a text in 'name'"),
        (["BUNDLE", "--budgets", "nowhere.toml"], "nowhere.toml: No such file"),
    ],
)
def test_a_wrong_call_says_what_to_give(
    arguments: list[str], message: str, bundle_path: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    command = [str(bundle_path) if word == "BUNDLE" else word for word in arguments]
    assert main([*command, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["README.md", "README.md/report"])
def test_a_report_that_cannot_be_written_asks_for_another_directory_before_it_measures(
    name: str, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").touch()
    assert main([str(bundle_path), "--out", str(tmp_path / name)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {tmp_path / name}: ")
    assert told.endswith("; give another directory with --out\n")
    assert "starting from nothing" not in told


def test_what_cannot_be_written_at_the_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(ValueError, match=r"directory; give another directory with --out$"):
        write_files(tmp_path, {}, "")


@pytest.mark.parametrize("value", ["9", "301", "long"])
def test_a_duration_past_its_range_is_refused(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bundle", "--duration", value])
    assert "give a number from 10 to 300" in capsys.readouterr().err


def test_texts_come_from_csv_and_without_data_it_says_so(bundle_path: Path, tmp_path: Path) -> None:
    bundle = read_bundle(bundle_path)
    table = tmp_path / "rows.csv"
    rows = "honey,ingredient,sweetener|spice\nrock,,[]\n\u200b,,[]\n\n"
    table.write_text(f"name,ingredient,category\n{rows}", encoding="utf-8")
    honey, rock = sorted(read_examples(bundle, table, "name"), key=lambda example: example.text)
    assert honey.labels == {"ingredient": {"ingredient"}, "category": {"sweetener", "spice"}}
    assert rock.labels == {"category": frozenset()}
    with pytest.raises(TextsError, match="give some with --data FILE"):
        find_data(bundle.changed(name="other"))


def test_a_wrong_label_is_told_with_its_file_and_line(bundle_path: Path, tmp_path: Path) -> None:
    table = tmp_path / "rows.jsonl"
    table.write_text('{"text": "honey"}\n{"text": "rock", "category": "a|"}\n')
    with pytest.raises(TextsError, match=r"rows\.jsonl:2: column 'category' has 'a\|'; a multi"):
        read_examples(read_bundle(bundle_path), table, "text")
    assert main([str(bundle_path), "--data", str(table), "--out", str(tmp_path)]) == 2


def test_the_claim_is_that_of_the_graph_that_is_served(bundle_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "fp32"
    shutil.copytree(bundle_path, path)
    manifest = json.loads((path / "bundle.json").read_text())
    claims = {"fp32": 91.5, "int8": 90.5}
    manifest["metrics"] = {
        "shipped": "fp32",
        **{name: {"tasks": {"source": {"accuracy": claim}}} for name, claim in claims.items()},
    }
    (path / "bundle.json").write_text(json.dumps(manifest))
    bundle = read_bundle(path)
    examples = read_examples(bundle, find_data(bundle), "text")[: 2 * accuracy.BATCH]
    options = read_options([str(path)])
    with closing(Harness(options, bundle, examples, tmp_path, target_ms=50)) as harness:
        result = accuracy.measure(harness, 0)
    assert result["whole"]
    assert result["tasks"]["source"]["claimed"] == claims["fp32"]
    assert not result["recorded"]
    digests = {task["labelled_digest"] for task in result["tasks"].values()}
    assert len(digests) == len(bundle.tasks), "of each task's own labels"


def test_a_refitted_bundle_is_judged_by_the_answers_that_its_run_held_out(
    bundle_path: Path, tmp_path: Path
) -> None:
    source = read_bundle(bundle_path)
    bundle = copied_bundle(source, tmp_path / "mine", metrics={**source.metrics, "refit": {}})
    examples = read_examples(bundle, find_data(source), "text")[:20]
    options = read_options([str(bundle.path)])
    labelled = [example for example in examples if "ingredient" in example.labels]
    answers = {
        row_key(example.text, example.labels["ingredient"]): ["something else"]
        for example in labelled[1:]
    }
    right = labelled[-1]
    answers[row_key(right.text, right.labels["ingredient"])] = list(right.labels["ingredient"])
    path = record_path(bundle.path)
    path.parent.mkdir()
    path.write_text(record_text(HeldOut(bundle.identity, {"ingredient": answers})))
    with closing(Harness(options, bundle, examples, tmp_path, target_ms=50)) as harness:
        measured = accuracy.measure(harness, 0)
    assert measured["recorded"]
    assert measured["tasks"]["source"]["served"] is None, "not in the record"
    task = measured["tasks"]["ingredient"]
    assert task["rows"] == len(labelled) - 1
    assert task["served"] == round(100 / (len(labelled) - 1), 2)
    assert task["claimed"] == source.metrics["int8"]["tasks"]["ingredient"]["accuracy"]
