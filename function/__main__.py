"""Score texts or a file from the command line, without a server.

python -m function "raw honey" "butter knife" --tasks source,category --top-k 2
python -m function batch IN.jsonl OUT.csv --text name
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
from tables.remote_table import table_location

PREDICT, BATCH = "predict", "batch"


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status is 0, 1 (it failed), 2 (wrong usage) or 130 (stopped)."""
    if not arguments or arguments[0] not in (PREDICT, BATCH, "-h", "--help"):
        arguments = [PREDICT, *arguments]
    try:
        settings = Settings.from_mapping(os.environ)
        options = _parser(settings).parse_args(arguments)
        return (_batch if options.command == BATCH else _predict)(options, settings)
    except (BundleError, SettingsError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _predict(options: argparse.Namespace, settings: Settings) -> int:
    from function.http.service import predictions_document
    from model.classifier import Classifier

    classifier = Classifier.load(options.bundle, settings.threads)
    detailed = classifier.predict_detailed(options.texts, options.tasks, options.top_k)
    document = predictions_document(detailed, classifier.bundle.identity)
    if options.explain:
        from model.occlusion import explain

        document["explanations"] = explain(classifier, options.texts, detailed.predictions)
    print(json.dumps(document, indent=2))
    return 0


def _batch(options: argparse.Namespace, settings: Settings) -> int:
    from function.batch.job import BatchJob, run_job

    fields = {key: value for key, value in vars(options).items() if key != "command"}
    try:
        run_job(BatchJob(**fields, threads=settings.threads))
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on", file=sys.stderr)
        return 130
    return 0


def _parser(settings: Settings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m function",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, title="commands")
    predict = commands.add_parser(
        PREDICT,
        help="print the predictions of texts as JSON; the name of this command may be left out",
        description="Print the predictions of texts as JSON, as POST / answers them.",
        epilog=f"Texts that begin with `-`, `{PREDICT}` or `{BATCH}` go after `--`.",
    )
    predict.add_argument("texts", nargs="+", metavar="TEXT")
    explain_help = "also print the words that changed the score of each first label most"
    predict.add_argument("--explain", action="store_true", help=explain_help)
    batch = commands.add_parser(
        BATCH,
        help="score a file of rows",
        description="Score IN to OUT, each of a format by its extension: .jsonl, .csv, .tsv (also "
        "with .gz) or .parquet; IN also .json, .xlsx, a saved dataset, bq://PROJECT.DATASET.TABLE "
        "or hf://OWNER/NAME. "
        "Rows that cannot be scored go to OUT.rejected.jsonl. Run the same command again to go "
        "on where a killed one stopped.",
    )
    add = batch.add_argument
    add("source", type=table_location, metavar="IN")
    add("target", type=Path, metavar="OUT")
    add("--text", default="text", metavar="COLUMN", help="default: text")
    chunk_help = "rows between two savings (default: 1024)"
    add("--chunk", dest="chunk_rows", type=_positive, default=1024, metavar="ROWS", help=chunk_help)
    force_help = (
        "replace OUT. A killed run of the same input, bundle and options goes on; what any other "
        "left is dropped"
    )
    add("--force", action="store_true", help=force_help)
    for command in (predict, batch):
        add = command.add_argument
        bundle_help = "default: $BUNDLE, else the shipped bundle"
        add("--bundle", type=Path, default=settings.bundle, metavar="DIR", help=bundle_help)
        tasks_help = "default: all of the bundle's"
        add("--tasks", type=lambda value: value.split(","), metavar="TASK[,TASK]", help=tasks_help)
        top_k_help = "labels of each single-label task (default: 1)"
        add("--top-k", type=_positive, default=1, metavar="N", help=top_k_help)
    parser.epilog = "\n".join(command.format_help() for command in (predict, batch))
    return parser


def _positive(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise argparse.ArgumentTypeError(f"{value!r}: give a whole number of 1 or more")
    return int(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
