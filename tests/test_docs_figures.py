"""Figures that the README and the docs show are those of committed records."""

from __future__ import annotations

import itertools
import json
import re
import tomllib

import pytest

from model.bundle import read_bundle
from tests.docs_text import PAGES, README, ROOT, shown, table_rows
from training import shipped

REPORTS = ROOT / "profiling" / "reports"


@pytest.mark.parametrize("page", PAGES)
def test_the_figures_are_those_of_the_shipped_bundles_card(page: str) -> None:
    assert shipped.with_figures(PAGES[page], read_bundle(ROOT / shipped.SHIPPED)) == PAGES[page]


def test_the_readme_shows_the_size_and_the_table() -> None:
    assert shipped.TABLE.search(README)
    assert shipped.SIZE.search(README)


def test_the_sweep_told_is_the_recorded_one() -> None:
    sweep = json.loads((ROOT / "training" / "reports" / "sweep.json").read_text())
    points = {point["name"]: point for point in sweep["points"]}
    assert points[sweep["choice"]]["mb"] <= sweep["limits"]["max_mb"]
    assert f"in {points['2x384 int8']['mb']:.1f} MB" in PAGES["docs/train.md"]
    assert f"one of 128 in {points['1x128 int8']['mb']:.1f} MB" in PAGES["docs/train.md"]


def test_the_faithfulness_told_is_the_recorded_one() -> None:
    record = json.loads((ROOT / "training" / "reports" / "faithfulness.json").read_text())
    assert record["bundle"] == read_bundle(ROOT / "model" / "ingredients").identity
    assert f"Of {record['texts']} texts" in PAGES["docs/python.md"]
    rows = table_rows("docs/python.md", "| task | texts with a label |")
    assert [row[0] for row in rows] == list(record["tasks"])
    for task, *cells in rows:
        figures = [float(cell.removesuffix(" %")) for cell in cells]
        assert figures == [
            pytest.approx(figure, abs=0.5 if "percent" in name else 0.0006)
            for name, figure in record["tasks"][task].items()
        ]


def test_the_report_shown_is_of_the_shipped_bundle() -> None:
    console = shown("make report BUNDLE=model/ingredients", "docs/observe.md")
    page = (REPORTS / "ingredients.html").read_text(encoding="utf-8")
    identity = read_bundle(ROOT / "model" / "ingredients").identity
    assert identity in console
    assert identity in page
    figures = re.findall(r"^(\w[\w, ]+?)  +([\d.]+) .*(?:kept|BROKEN)$", console, re.MULTILINE)
    assert len(figures) == 8
    for title, figure in figures:
        (cell,) = re.findall(rf"{title}</\w+>\s*<[^>]+>([\d.,]+)", page)
        assert float(cell.replace(",", "")) == pytest.approx(float(figure), rel=0.01), title


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _recorded() -> dict[tuple[str, str], list[dict[str, str]]]:
    """Rows of the cold starts' records by condition and contender, each by column."""
    rows_by_contender: dict[tuple[str, str], list[dict[str, str]]] = {}
    for path in (REPORTS / "coldstart").glob("*.md"):
        for part in path.read_text(encoding="utf-8").split("### ")[1:]:
            condition, _, rest = part.partition("\n")
            head, _, *rows = [line for line in rest.splitlines() if line.startswith("|")]
            for row in rows:
                cells = dict(zip(_cells(head), _cells(row), strict=True))
                rows_by_contender.setdefault((condition, cells[""]), []).append(cells)
    return rows_by_contender


def _table_rows(head: str) -> list[list[str]]:
    """The cells of each row of the tables of docs/benchmarks.md that begin so, heads included."""
    lines = PAGES["docs/benchmarks.md"].splitlines()
    rows = []
    for place, line in enumerate(lines):
        if line.startswith(head):
            table = itertools.takewhile(lambda row: row.startswith("|"), lines[place:])
            rows += [_cells(row) for row in table if not row.startswith("|---")]
    return rows


def test_the_cold_starts_shown_are_those_recorded() -> None:
    recorded, columns, shown_rows = _recorded(), [""], 0
    for condition, contender, *cells in _table_rows("| | | n | first"):
        if not condition:
            columns = cells
            continue
        known = [[row[name] for name in columns] for row in recorded[condition, contender]]
        assert cells in known, (condition, contender)
        shown_rows += 1
    assert shown_rows >= 25


COMPARED = ("first_answer_ms", "cpu_ms", "warm_p50_ms", "settled_mb")
PEERS = {"node": "Node on functions-framework", "node-bare": "Node at its best"}


def _ratios() -> dict[tuple[str, str], dict[str, dict[str, float]]]:
    """Ours over each peer on Node, by peer's title and condition."""
    ratios = {}
    for name in ("plain", "gvisor"):
        record = json.loads((REPORTS / "coldstart" / f"{name}.json").read_text())
        for condition in record["conditions"]:
            title = f"{condition['limits']}, {condition['page_cache']} page cache"
            title += ", gVisor" if condition["sandbox"] == "gvisor" else ""
            for peer, words in PEERS.items():
                ratios[words, title] = condition["ratios"][peer]
    return ratios


def test_the_ratios_shown_are_those_recorded() -> None:
    recorded = _ratios()
    rows = _table_rows("| ours over |")[1:]
    assert len(rows) == len(recorded)
    for peer, condition, *cells in rows:
        for key, cell in zip(COMPARED, cells, strict=True):
            ratio = recorded[peer, condition].get(key)
            expected = ratio and "{median:.2f} ({low:.2f} to {high:.2f})".format(**ratio)
            assert cell == (expected or ""), (peer, condition, key)


def test_the_burst_and_the_counts_told_are_those_recorded() -> None:
    prose = " ".join(PAGES["docs/benchmarks.md"].split())
    burst, counts = (
        json.loads((REPORTS / "coldstart" / f"{name}.json").read_text())
        for name in ("128mib", "counts")
    )
    (condition,) = burst["conditions"]
    assert not any(condition["killed"].values())
    ours, node, bare = (
        f"{condition['contenders'][name]['burst_mb']['median']:.0f}" for name in ("ours", *PEERS)
    )
    assert f"ours has {ours} MiB where Node on functions-framework has {node} and" in prose
    assert f"Node at its best {bare}; nothing was killed" in prose
    ours, node, bare = (counts["counts"]["contenders"][name] for name in ("ours", *PEERS))
    calls = [f"{row['system_calls']:.0f}" for row in (ours, node, bare)]
    opened = [f"{row['files_opened']:.0f}" for row in (ours, node, bare)]
    read_mb = [f"{row['cold_disk_mb']:.0f}" for row in (ours, node, bare)]
    assert f"ours makes {calls[0]} system calls and opens {opened[0]} files;" in prose
    assert f"{calls[1]} and {opened[1]}, Node at its best {calls[2]} and {opened[2]}." in prose
    assert f"they read {read_mb[0]}, {read_mb[1]} and {read_mb[2]} MiB" in prose


def test_the_readme_tells_the_recorded_start() -> None:
    recorded, prose = _ratios(), " ".join(README.split())

    def first(peer: str, sandbox: str) -> str:
        ratio = recorded[PEERS[peer], f"1 CPU, warm page cache{sandbox}"]["first_answer_ms"]
        return f"{ratio['median']:.2f}"

    plain, gvisor = ([first(peer, place) for peer in PEERS] for place in ("", ", gVisor"))
    memory = recorded[PEERS["node"], "1 CPU, warm page cache"]["settled_mb"]["median"]
    sentence = (
        f"first right answer in {plain[0]} of the time of the same model on Node with "
        f"functions-framework and in {plain[1]} of Node at its best, in gVisor, the sandbox of "
        f"Cloud Run, in {gvisor[0]} and {gvisor[1]}, with {memory:.2f} of the former's memory"
    )
    assert sentence in prose


def test_deploying_from_source_costs_what_the_compared_logs_show() -> None:
    compared = shown("python -m profiling logs --file log --compare", "docs/observe.md")
    prose = " ".join(PAGES["docs/deploy.md"].split())
    row = r"^ *{} p50, \w+ +([\d.]+) +([\d.]+)"
    (start,) = re.findall(row.format("cold start"), compared, re.MULTILINE)
    (memory,) = re.findall(row.format("memory"), compared, re.MULTILINE)
    source_ms, image_ms, source_mb, image_mb = (f"{float(value):.0f}" for value in start + memory)
    assert f"a cold start took {source_ms} ms instead of the image's {image_ms}" in prose
    assert f"memory was {source_mb} MB instead of {image_mb}" in prose


@pytest.mark.parametrize("name", ["stages", "throughput"])
def test_the_tables_shown_are_those_recorded(name: str) -> None:
    record = (REPORTS / f"{name}.md").read_text(encoding="utf-8").split("\n\n")
    assert record[0] in PAGES["docs/benchmarks.md"]
    assert record[1] in PAGES["docs/benchmarks.md"]


def test_the_memory_of_the_soak_is_the_recorded_one() -> None:
    record = json.loads((REPORTS / "soak.json").read_text())
    first, last = record["rows"][0], record["rows"][-1]
    prose = (
        f"Over {last['requests']} requests of mixed length from {record['users']} callers "
        f"(`python -m profiling soak`) the server's memory went from {first['memory_mb']} MiB "
        f"after the first tenth to {last['memory_mb']} MiB."
    )
    assert prose in " ".join(PAGES["docs/benchmarks.md"].split())


def test_prices_are_those_that_the_report_uses() -> None:
    prices = tomllib.loads((ROOT / "profiling" / "report" / "prices.toml").read_text())
    request, prose = prices["request_based"], " ".join(PAGES["docs/deploy.md"].split())
    assert f"on {prices['date']}" in prose
    assert f"{request['vcpu_second']:.6f} $ per vCPU-second" in prose
    assert f"{request['gib_second']:.7f} $ per GiB-second" in prose
    assert f"{request['million_requests']:.2f} $ per million requests" in prose
    assert f"{request['free_vcpu_seconds']:,} vCPU-seconds" in prose
    assert f"{request['free_gib_seconds']:,} GiB-seconds" in prose
