"""`python -m profiling logs`, run as a user runs it, on a real server's lines."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.profiling.command import run
from tests.profiling.logs.lines import line
from tests.serving import ROOT, Server


def test_a_file_and_a_pipe_give_the_same_tables(cold_server: Server) -> None:
    file = run("logs", "--file", str(cold_server.log))
    pipe = run("logs", "--file", "-", stdin=cold_server.log.read_text("utf-8"))
    assert file.returncode == 0, file.stderr
    assert file.stdout == pipe.stdout
    assert file.stdout.startswith("revision r9: 5 requests, 4 predictions, 1 instance, 20")
    assert "cold starts: 1, 25.00% of the answers; ms" in file.stdout
    for name in ("framework", "import_onnxruntime", "session", "respond"):
        assert f"\n  {name} " in file.stdout
    assert "errors: 0 of the server (0.00%), 1 of clients\n  1x  POST / 400" in file.stdout


def test_tables_and_json_agree(cold_server: Server) -> None:
    tables = run("logs", "--file", str(cold_server.log)).stdout
    document = json.loads(run("logs", "--file", str(cold_server.log), "--json").stdout)
    (revision,) = document["revisions"]
    warm = revision["warm_ms"]
    assert (document["format"], document["comparison"], warm["n"]) == (1, None, 3)
    row = next(text.split() for text in tables.splitlines() if text.startswith("  request "))
    assert float(row[2]) == pytest.approx(warm["p50"], rel=0.05)
    assert row[4].startswith("~")  # a p99 of three values is none


class Page(HTMLParser):
    """Elements left open, and everything that would need a network."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "link", "img", "iframe", "image"):
            self.loads.append(tag)
        self.loads += [str(value) for name, value in attrs if name in ("src", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.slow
def test_the_page_stands_alone_and_quotes_nothing_unescaped(tmp_path: Path) -> None:
    hostile = "<script>$x^2$</script>"
    lines = [
        line(3 + number / 10, at_s=number, revision=revision, instance=f"{revision}{number % 6}")
        for revision in ("r1", hostile)
        for number in range(60)
    ]
    cold = {"framework": (0.0, 300.0), "request": (300.0, 90.0), "load": (301.0, 80.0)}
    lines.append(line(90.0, cold=True, spans=cold))
    lines.append(line(status=500) | {"message": hostile})
    log, page = tmp_path / "log", tmp_path / "page.html"
    log.write_text("\n".join(map(json.dumps, lines)))
    done = run("logs", "--file", str(log), "--compare", "r1", hostile, "--html", str(page))
    assert done.returncode == 1  # a slash makes it a period
    assert "give a period as 2026-11-20/2026-11-21T12:00" in done.stderr
    periods = ["2026-11-20T08:00/2026-11-20T08:00:30", "2026-11-20T08:00:30/2026-11-20T08:01"]
    done = run("logs", "--file", str(log), "--compare", *periods, "--html", str(page))
    assert done.returncode == 0, done.stderr
    parsed = Page()
    parsed.feed(page.read_text("utf-8"))
    assert parsed.loads == []
    assert parsed.tags.count("svg") == 5  # curve, two revisions' spans, a cold start, memory
    assert hostile in parsed.text
    assert "request p50" in parsed.text
    assert done.stdout.splitlines()[0] in parsed.text


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "give --file FILE, or --project and --service"),
        (["--file", "a", "--project", "b"], 2, "give --file FILE, or --project and --service"),
        (["--project", "b"], 2, "--project needs --service too"),
        (["--file", "a", "--since", "soon"], 2, "'soon': give 90m, 24h, 7d, a date or a time"),
        (["--file", "a", "--limit", "0"], 2, "'0': give a whole number of 1 or more"),
        (["--file", "/none"], 1, "error: /none: No such file or directory; give a file of log"),
        (["--file", "README.md"], 1, "README.md: no request and no error in"),
    ],
)
def test_mistakes(arguments: list[str], status: int, message: str) -> None:
    done = run("logs", *arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("package", ["scipy", "jinja2"])
def test_a_package_that_only_some_options_need(package: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(json.dumps(line()))
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from profiling.logs.logs_command import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "--file", str(log)]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0
    command += ["--compare", "r1", "r1", "--html", str(tmp_path / "page.html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"error: {package} is missing; pip install -r requirements-profiling" in done.stderr
