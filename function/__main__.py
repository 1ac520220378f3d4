"""Ask a bundle from the command line.

    python -m function "raw honey" "butter knife" --tasks source,category --top-k 2
    python -m function batch IN.jsonl OUT.csv --text name

The first prints the same JSON as POST /; the second scores a file (see function/batch.py).
A text that is the word `batch` goes after `--`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from function.settings import Settings, SettingsError
from model.bundle import BundleError


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status is 0, 1 (it failed) or 2 (it was asked wrongly)."""
    try:
        settings = Settings.from_mapping(os.environ)
        if arguments[:1] == ["batch"]:
            return _batch(arguments[1:], settings)
        return _predict(arguments, settings)
    except (BundleError, SettingsError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _predict(arguments: Sequence[str], settings: Settings) -> int:
    parser = argparse.ArgumentParser(
        "python -m function",
        description="Print the predictions of texts as JSON.",
        epilog="To score a file: python -m function batch --help",
    )
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    _add_question(parser, settings)
    options = parser.parse_args(arguments)
    from function.http.service import predictions_document
    from model.classifier import Classifier

    classifier = Classifier.load(options.bundle, settings.threads)
    detailed = classifier.predict_detailed(options.texts, options.tasks, options.top_k)
    document = predictions_document(detailed, classifier.bundle.identity)
    print(json.dumps(document, indent=2))
    return 0


def _batch(arguments: Sequence[str], settings: Settings) -> int:
    parser = argparse.ArgumentParser(
        "python -m function batch",
        description="Score IN to OUT; .jsonl, .jsonl.gz or .csv, each told by its extension. "
        "Rows that cannot be scored go to OUT.rejected.jsonl. Run the same command again to go "
        "on where a killed one stopped.",
    )
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument("--text", default="text", metavar="COLUMN", help="default: text")
    parser.add_argument(
        "--chunk",
        type=_positive,
        default=1024,
        metavar="ROWS",
        help="rows between two savings (default: 1024)",
    )
    parser.add_argument("--force", action="store_true", help="replace OUT, and start over")
    _add_question(parser, settings)
    options = parser.parse_args(arguments)
    from function.batch.job import Job, run_job

    job = Job(
        source=options.source,
        target=options.target,
        bundle=options.bundle,
        text=options.text,
        tasks=options.tasks,
        top_k=options.top_k,
        chunk_rows=options.chunk,
        force=options.force,
        threads=settings.threads,
    )
    try:
        run_job(job)
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _add_question(parser: argparse.ArgumentParser, settings: Settings) -> None:
    parser.add_argument(
        "--bundle",
        type=Path,
        default=settings.bundle,
        metavar="DIR",
        help="default: $BUNDLE, else the shipped bundle",
    )
    parser.add_argument(
        "--tasks",
        type=lambda value: value.split(","),
        metavar="TASK[,TASK]",
        help="default: all of the bundle's",
    )
    parser.add_argument(
        "--top-k",
        type=_positive,
        default=1,
        metavar="N",
        help="labels of each single-label task (default: 1)",
    )


def _positive(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise argparse.ArgumentTypeError(f"{value!r}: give a whole number of 1 or more")
    return int(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
