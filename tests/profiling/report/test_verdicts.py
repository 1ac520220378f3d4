"""Budgets, prices and comparisons: arithmetic worked out by hand."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from profiling.__main__ import main
from profiling.bootstrap import ratio_interval, sample_of
from profiling.report.accuracy import score
from profiling.report.budgets import BUDGETS, Fact, read_budgets, verdicts
from profiling.report.cost import PRICES as PRICES_FILE
from profiling.report.cost import Billing, Prices, cost, memory_gib
from profiling.report.operators import add_up
from profiling.report.report_command import gate_reasons
from profiling.report.two_reports import BLOCKS, compare, verdict
from tables.toml_file import TomlError, read_toml

FACTS = {"warm_p50_ms": 4.0, "first_answer_ms": 950.0, "held_rate": 200.0, "memory_mb": 140.0}
PRICES = Prices(
    source="", date="", vcpu=1, memory_gib=(0.25, 0.5, 1), memory_spare=1.25,
    requests_per_start=100, month_hours=730,
    request_based=Billing(
        vcpu_second=24e-6, gib_second=2.5e-6, million_requests=0.4, rounding_ms=100,
        free_vcpu_seconds=180_000, free_gib_seconds=360_000, free_requests=2_000_000,
    ),
    instance_based=Billing(
        vcpu_second=18e-6, gib_second=2e-6, free_vcpu_seconds=240_000, free_gib_seconds=450_000
    ),
)  # fmt: skip


def test_what_a_million_requests_cost() -> None:
    costs = cost(FACTS, PRICES)
    assert costs is not None
    assert costs["memory_gib"] == 0.25
    alone, busy, always_on = costs["ways"]
    # Alone: 100 ms each, and a hundredth of a start of 950 ms, rounded up to 1000.
    assert alone["billed_ms"] == 110
    assert alone["million_dollars"] == round(110_000 * (24e-6 + 0.25 * 2.5e-6) + 0.4, 2) == 3.11
    assert alone["free_requests"] == int(180_000 / 0.11)
    # Busy: 200 a second share a second; requests are what runs out first.
    assert busy["million_dollars"] == round(5_000 * (24e-6 + 0.25 * 2.5e-6) + 0.4, 2) == 0.52
    assert busy["free_requests"] == 2_000_000
    assert always_on["million_dollars"] == round(5_000 * (18e-6 + 0.25 * 2e-6), 2) == 0.09
    assert always_on["free_requests"] == 48_000_000
    month_s = 730 * 3600
    assert costs["kept_a_month"] == round(
        (month_s - 240_000) * 18e-6 + (month_s * 0.25 - 450_000) * 2e-6, 2
    )


def test_memory_leaves_room_and_unknown_facts_have_no_price() -> None:
    assert [memory_gib(mb, PRICES) for mb in (204, 206, 700, 5000)] == [0.25, 0.5, 1, 1]
    assert cost({**FACTS, "held_rate": None}, PRICES) is None
    assert cost(FACTS, read_toml(Prices, PRICES_FILE)) is not None


def test_budgets_are_kept_broken_or_not_measured() -> None:
    budgets = read_budgets(BUDGETS)
    entries = verdicts({"first_answer_ms": 100, "held_rate": 1, "errors": 0}, budgets)
    is_kept = {entry["fact"]: entry["kept"] for entry in entries}
    assert is_kept["first_answer_ms"] is is_kept["errors"] is True
    assert is_kept["held_rate"] is False
    assert is_kept["memory_mb"] is None


def test_the_gate_says_why_it_fails() -> None:
    facts = dict.fromkeys(get_args(Fact), 0)
    budgets = read_budgets(BUDGETS)
    passing = verdicts({**facts, "held_rate": 50}, budgets)
    assert gate_reasons({"verdicts": passing, "problems": []}) == []
    unkept = verdicts({**facts, "errors": None}, budgets)
    held, errors, problem = gate_reasons({"verdicts": unkept, "problems": ["one caller: it died"]})
    assert held == "Rate held: broken"
    assert errors.startswith("Errors: not measured (give more --duration")
    assert problem == "one caller: it died"


TARGET = "[target]\np99_ms = 5\n"
ENTRY = "[[budget]]\nfact = 'errors'\ntitle = ''\nunit = ''\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "not valid TOML: Expected '='"),
        (TARGET, "budget: missing"),
        (TARGET + ENTRY.replace("errors", "x"), r"fact: 'x'; give 'first_answer_ms', .* or 'cpu"),
        (TARGET + ENTRY, r"\[\[budget\]\] errors: give either at_most or at_least"),
        (TARGET + ENTRY + "at_mots = 1", r"errors at_mots: unknown key; did you mean 'at_most'\?"),
        (TARGET + ENTRY + "at_most = '1'", r"\[\[budget\]\] errors at_most: '1'; give a number"),
        ("[target]\np99_ms = 0\n" + ENTRY, r"\[target\] p99_ms: 0; give a number above 0"),
    ],
)
def test_a_wrong_budget_file_is_told(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text(text)
    with pytest.raises(TomlError, match=rf"budgets\.toml: (?:.|\n)*{message}"):
        read_budgets(path)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("vcpu = 1", "vcpus = 1", "vcpus: unknown key; did you mean 'vcpu'"),
        ("vcpu = 1", "vcpu = 0", "vcpu: 0; give a number above 0"),
        ("gib_second", "gb_second", r"\[request_based\] gb_second: unknown key; .* 'gib_second'"),
        ("0.000024", '"cheap"', r"\[request_based\] vcpu_second: 'cheap'; give a number"),
    ],
)
def test_a_wrong_price_is_told(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(PRICES_FILE.read_text().replace(right, wrong, 1))
    with pytest.raises(TomlError, match=rf"prices\.toml: (?:.|\n)*{message}"):
        read_toml(Prices, path)


def in_blocks(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float, float]:
    """B / A of the medians, with its interval, as the comparison of reports has it."""
    samples = [sample_of(np.array_split(values, BLOCKS)) for values in (a, b)]
    return ratio_interval(samples[0], samples[1], 0.5)


def test_noise_is_called_noise_and_a_change_is_not() -> None:
    random = np.random.default_rng(1)
    a, same = (random.lognormal(1, 0.3, 3000) for _ in range(2))
    assert verdict(*in_blocks(a, same)) == "noise"
    ratio, low, high = in_blocks(a, same * 1.2)
    assert low < 1.2 < high
    assert verdict(ratio, low, high) == "slower"
    assert verdict(*in_blocks(a * 1.2, same)) == "faster"
    assert verdict(1.03, 1.02, 1.04) == "noise", "runs differ by as much on their own"


def test_neighbours_that_share_their_luck_widen_the_interval() -> None:
    random = np.random.default_rng(1)
    slow = np.repeat(random.lognormal(0, 0.3, 20), 150)
    values = random.lognormal(1, 0.05, 3000)
    _, low, high = in_blocks(values * slow, values * slow[::-1])
    _, still_low, still_high = in_blocks(values, values[::-1])
    assert high - low > 10 * (still_high - still_low)


def samples(seed: int, factor: float) -> dict[str, Any]:
    due = np.arange(2000.0)
    done = due + factor * np.random.default_rng(seed).lognormal(1, 0.2, 2000)
    return {
        "due": due.tolist(),
        "sent": due.tolist(),
        "done": done.tolist(),
        "status": [200] * 2000,
    }


def reports() -> tuple[dict[str, Any], dict[str, Any]]:
    a: dict[str, Any] = {
        "format": 1, "bundle": {"identity": "a@1"}, "problems": [], "settings": {"batch": 1},
        "machine": {"cpu": "x", "cores": 2}, "facts": {"bundle_mb": 10.0, "held_rate": 100.0},
        "stages": {"steady": {"rate": 50},
                   "accuracy": {"tasks": {"source": {"served": 90.0}}}},
        "samples": {"single": samples(1, 1), "steady": samples(2, 1)},
    }  # fmt: skip
    b = copy.deepcopy(a)
    b["bundle"]["identity"] = "b@2"
    b["facts"]["bundle_mb"] = 5.0
    b["samples"] = {"single": samples(3, 1), "steady": samples(4, 1.5)}
    return a, b


def test_two_reports_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, content in zip(paths, reports(), strict=True):
        path.write_text(json.dumps(content))
    assert main(["compare", *map(str, paths)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["A: a@1", "B: b@2"]
    row = {line.split("  ")[0]: line for line in lines if line}
    assert row["bundle, MB"].split()[-3:] == ["10", "5", "0.50"]
    assert row["warm, one caller, p50, ms"].endswith("noise")
    assert row["at the steady rate, p50, ms"].endswith("slower")


def test_other_machines_and_other_files_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = reports()
    b["machine"]["cpu"] = "y"
    table = compare(a, b)
    assert "times are not compared: cpu is x in A, y in B" in table
    assert "p50" not in table
    (tmp_path / "a.json").write_text('{"format": 2}')
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 2
    assert "not a report of format 1" in capsys.readouterr().err


def test_rates_of_another_target_and_accuracies_of_other_texts_are_told_apart() -> None:
    a, b = reports()
    a["settings"] |= {"p99_target_ms": 50, "texts": 4}
    b["settings"] |= {"p99_target_ms": 500, "texts": 4, "texts_digest": "b"}
    task_a, task_b = (report["stages"]["accuracy"]["tasks"]["source"] for report in (a, b))
    task_a["rows"], task_b["labelled_digest"] = 4, "b"
    table = compare(a, b)
    assert "rate held" not in table
    assert table.endswith("times are not compared: p99_target_ms is 50 in A, 500 in B")
    b["settings"]["p99_target_ms"] = 50
    table = compare(a, b)  # A is older, and does not tell its texts' digests
    assert "rate held" in table
    assert "judged by" not in table
    a["settings"]["texts_digest"], task_a["labelled_digest"] = "a", "a"
    table = compare(a, b)
    assert "times are not compared: texts_digest is a in A, b in B" in table
    assert "judged by other texts or labels in A than in B: source" in table
    task_a["labelled_digest"], task_b["rows"] = "b", 3
    assert "judged by other texts or labels" in compare(a, b)


def test_scores_by_hand() -> None:
    a, b, none = frozenset("a"), frozenset("b"), frozenset[str]()
    assert score("single", [(a, a), (a, b), (b, b), (b, b)]) == 75
    assert score("multi", [(a | b, a), (none, b), (a, a)]) == pytest.approx(66.67)
    assert score("single", []) is None
    assert score("multi", [(none, none)]) is None


def test_the_first_run_of_the_graph_is_left_out() -> None:
    def node(ts: int, dur: int, kind: str) -> dict[str, Any]:
        name = f"{kind}_1_kernel_time"
        return {"cat": "Node", "name": name, "ts": ts, "dur": dur, "args": {"op_name": kind}}

    runs = [{"cat": "Session", "name": "model_run", "ts": start, "dur": 90} for start in (0, 100)]
    result = add_up([node(5, 80, "Gemm"), *runs, node(110, 30, "Gemm"), node(150, 10, "Add")], 2)
    assert result["us_per_run"] == 40
    assert [(kind["name"], kind["share"]) for kind in result["kinds"]] == [
        ("Gemm", 0.75),
        ("Add", 0.25),
    ]
