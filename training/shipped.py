"""Put a run's bundle where the shipped one is, and its figures into the docs.

    python -m training.shipped ship/ingredients

is what `make ship` does after it trained the shipped recipe. The bundle, the record of its held-out
answers and the report of its run go to their places; the report under load is made anew; then every
page shows the table, the size, the identity and the answers of the new bundle.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from model.aside import directory_aside, read_json, write_text
from model.bundle import (
    CARD,
    HASHED,
    MANIFEST,
    MODEL,
    TOKENIZER,
    Bundle,
    BundleError,
    read_bundle,
)
from profiling.server import ROOT, Server, ServerError, serving
from tables.held_out import RECORD

SHIPPED = Path("model/ingredients")
REPORTS = {
    RECORD: Path("model/ingredients.report") / RECORD,
    "training.md": Path("training/reports/ingredients.md"),
}
"""What a run leaves beside its bundle, and where it is kept."""
LOAD_REPORT = Path("profiling/reports/ingredients.html")
FAITHFULNESS = Path("training/reports/faithfulness.json")
FAITHFUL_ROWS = re.compile(
    r"(?<=^\| task \| texts with a label )(.*\n\|[-|]+\n)(?:\|.*\n)+", re.MULTILINE
)
TABLE = re.compile(r"^\|  \| ingredient \|.*\n\|.*\n(?:\|.*\n)+", re.MULTILINE)
SIZE = re.compile(r"(?<=The shipped bundle, )[\d.]+(?= MB)")
ASK = "curl -s localhost:8080"


def put_in_place(source: Path) -> Bundle:
    """Copy the bundle `source`, and from `source.report/` what is kept; returns the shipped one.

    Raises BundleError and OSError.
    """
    report = source.with_name(f"{source.name}.report")
    kept = {ROOT / place: (report / name).read_text("utf-8") for name, place in REPORTS.items()}
    read_bundle(source)
    with directory_aside(ROOT / SHIPPED) as aside:
        for name in (MANIFEST, *HASHED):  # as they are: the record knows the bundle by its digest
            shutil.copyfile(source / name, aside / name)
    for place, text in kept.items():
        place.parent.mkdir(exist_ok=True)
        write_text(place, text)
    return read_bundle(ROOT / SHIPPED)


def load_report(folder: Path) -> str:
    """Measure the shipped bundle under load, keep the page; returns what the console showed."""
    command = [sys.executable, "-m", "profiling", "report", str(SHIPPED), "--out", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    write_text(ROOT / LOAD_REPORT, (folder / "report.html").read_text("utf-8"))
    return done.stdout.replace(str(folder), "report")


def with_figures(page: str, bundle: Bundle) -> str:
    """The page with the table of the bundle's card, its size and its identity."""
    size = sum((bundle.path / name).stat().st_size for name in (MODEL, TOKENIZER))
    (table, *_) = TABLE.findall((bundle.path / CARD).read_text("utf-8"))
    page = SIZE.sub(f"{size / 1e6:.1f}", TABLE.sub(lambda _: table, page))
    return re.sub(rf"\b{bundle.name}@[0-9a-f]{{12}}\b", bundle.identity, page)


def faithful_rows() -> str:
    """Measure how faithful explanations by the shipped bundle are; the rows of the docs' table."""
    module, table = "training.studies.faithfulness", "training/ingredients/ingredients.jsonl.gz"
    _output([sys.executable, "-m", module, table, "--out", str(FAITHFULNESS)])
    tasks = read_json(ROOT / FAITHFULNESS)["tasks"]
    return "".join(
        f"| {task} | {count} | {lowered:.0f} % | {without_first:.3f} | {without_other:.3f} | "
        f"{alone:.0f} % | {other_alone:.0f} % |\n"
        for task, (count, lowered, without_first, without_other, alone, other_alone) in (
            (task, figures.values()) for task, figures in tasks.items()
        )
    )


def with_outputs(page: str, command: str, output: Callable[[str], str]) -> str:
    """The page with `output(line)` below each line of a console that starts with `command`."""
    shown = rf"^\$ ({re.escape(command)}[^\n]*)\n.*?(?=^```|^\$ )"
    return re.sub(
        shown,
        lambda block: f"$ {block[1]}\n{output(block[1]).rstrip()}\n",
        page,
        flags=re.DOTALL | re.MULTILINE,
    )


def answer(server: Server, line: str) -> str:
    """What a curl line of the docs is answered, a prediction a line where POST / has several."""
    reply = _rounded(json.loads(_output(["bash", "-c", line.replace(":8080", f":{server.port}")])))
    if not (isinstance(reply, dict) and {*reply} == {"predictions", "bundle"}):
        return json.dumps(reply)
    predictions = [f"  {json.dumps(each)}" for each in reply["predictions"]]
    if len(predictions) < 2:
        return json.dumps(reply)
    listed = ",\n".join(predictions)
    return f'{{"predictions": [\n{listed}],\n "bundle": {json.dumps(reply["bundle"])}}}'


def printed(line: str) -> str:
    """What a Python command of the docs prints."""
    document = json.loads(_output([sys.executable, *shlex.split(line)[1:]]))
    return json.dumps(_rounded(document), indent=2)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def _rounded(value: Any) -> Any:
    """JSON with its fractions to three digits, as the pages show scores."""
    match value:
        case float():
            return round(value, 3)
        case list():
            return [_rounded(each) for each in value]
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
    return value


def write_pages(bundle: Bundle, report: str) -> None:
    """Every page with the figures and the answers of `bundle`."""
    rows = faithful_rows()
    with (
        tempfile.NamedTemporaryFile() as log,
        serving(bundle.path, Path(log.name)) as server,
    ):
        for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
            page = with_figures(path.read_text("utf-8"), bundle)
            page = FAITHFUL_ROWS.sub(lambda head: head[1] + rows, page)
            page = with_outputs(page, ASK, lambda line: answer(server, line))
            page = with_outputs(page, 'python -m function "', printed)
            write_text(path, with_outputs(page, "make report BUNDLE", lambda _: report))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, help="bundle that a finished run wrote")
    source = parser.parse_args(arguments).source.resolve()
    try:
        bundle = put_in_place(source)
        report = load_report(source.with_name("report"))
        write_pages(bundle, report)
    except (BundleError, OSError, ServerError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"shipped: {bundle.identity}; read the changes of README.md, docs/ and the reports")
    return 0


if __name__ == "__main__":
    sys.exit(main())
