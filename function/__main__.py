"""Score texts or a file from the command line, without a server.

python -m function "raw honey" "butter knife" --tasks source,category --top-k 2
python -m function batch IN.jsonl OUT.csv --text name
python -m function beam --input IN.jsonl --output OUT
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from function.batch.beam_call import LOCAL_RUNNER, BeamJob
from function.settings import Settings, SettingsError
from model.bundle import BundleError
from tables.remote_table import table_location

PREDICT, BATCH, BEAM = "predict", "batch", "beam"


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status is 0, 1 (it failed), 2 (wrong usage) or 130 (stopped)."""
    if not arguments or arguments[0] not in (*COMMANDS, "-h", "--help"):
        arguments = [PREDICT, *arguments]
    try:
        settings = Settings.from_mapping(os.environ)
        parser = _parser(settings)
        beam_options: list[str] = []
        if arguments[0] == BEAM:
            _, beam_options = parser.parse_known_args(arguments)
        options = parser.parse_args(_without(arguments, beam_options))
        options.beam_options = beam_options
        return COMMANDS[options.command](options, settings)
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

    try:
        run_job(BatchJob(**_fields(options, "command", "beam_options"), threads=settings.threads))
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on", file=sys.stderr)
        return 130
    return 0


def _beam(options: argparse.Namespace, settings: Settings) -> int:
    try:
        from function.batch.beam_job import run_beam_job
    except ModuleNotFoundError as error:
        if "apache_beam" not in str(error):
            raise
        problem = "this command needs apache_beam; install it: "
        raise ValueError(f"{problem}pip install -r requirements-beam.txt") from None
    try:
        run_beam_job(BeamJob(**_fields(options, "command"), threads=settings.threads))
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to start over", file=sys.stderr)
        return 130
    return 0


COMMANDS = {PREDICT: _predict, BATCH: _batch, BEAM: _beam}


def _fields(options: argparse.Namespace, *left_out: str) -> dict[str, Any]:
    return {key: value for key, value in vars(options).items() if key not in left_out}


def _without(words: Sequence[str], unknown: Sequence[str]) -> list[str]:
    """The words but for those that the parser does not know, which stand in the same order."""
    rest = list(unknown)
    return [word for word in words if not (rest and word == rest[0] and rest.pop(0))]


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
        epilog=f"Texts that begin with `-`, `{PREDICT}`, `{BATCH}` or `{BEAM}` go after `--`.",
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
    beam = commands.add_parser(
        BEAM,
        help="score tables on Apache Beam",
        description="Score the tables IN to shards of JSON lines, OUT-00000-of-00002.jsonl, each "
        "of them on any worker. IN is as for batch, a pattern such as gs://BUCKET/*.csv, or both. "
        "Rows that cannot be scored go to OUT.rejected.jsonl. Other options are Beam's.",
        allow_abbrev=False,
    )
    add = beam.add_argument
    add("--input", dest="source", required=True, metavar="IN")
    add("--output", dest="target", required=True, metavar="OUT")
    add("--text", default="text", metavar="COLUMN", help="default: text")
    add("--force", action="store_true", help="delete what an earlier run left of OUT, first")
    runner_help = f"default: {LOCAL_RUNNER}, on this machine"
    add("--runner", default=LOCAL_RUNNER, metavar="NAME", help=runner_help)
    workers_help = "processes of that runner (default: 1)"
    add("--workers", type=_positive, default=1, metavar="N", help=workers_help)
    for command in (predict, batch, beam):
        add = command.add_argument
        bundle_help = "default: $BUNDLE, else the shipped bundle"
        bundle_type = str if command is beam else Path  # it may be gs://BUCKET/FOLDER
        default = bundle_type(settings.bundle)
        add("--bundle", type=bundle_type, default=default, metavar="DIR", help=bundle_help)
        tasks_help = "default: all of the bundle's"
        add("--tasks", type=_names, metavar="TASK[,TASK]", help=tasks_help)
        top_k_help = "labels of each single-label task (default: 1)"
        add("--top-k", type=_positive, default=1, metavar="N", help=top_k_help)
    parser.epilog = "\n".join(command.format_help() for command in (predict, batch, beam))
    return parser


def _names(value: str) -> list[str]:
    names = value.split(",")
    for name in names:
        if names.count(name) > 1:
            raise argparse.ArgumentTypeError(f"{value!r}: name {name!r} once")
    return names


def _positive(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise argparse.ArgumentTypeError(f"{value!r}: give a whole number of 1 or more")
    return int(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
