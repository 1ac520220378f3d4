"""Read the function's profile back, from Cloud Logging or from a file or pipe of its lines.

    make run | tee log; python -m profiling logs --file log
    gcloud logging read FILTER --format json | python -m profiling logs --file -
    python -m profiling logs --project my-project --service polyhead --since 24h
    python -m profiling logs --project my-project --service polyhead --since 7d \\
        --compare polyhead-00003-abc polyhead-00004-def --html logs.html
    python -m profiling logs --file log --drift model/ingredients

A side of --compare is a revision, or a period START/END such as 2026-11-20/2026-11-21T12:00.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from profiling.logs.cloud import read_cloud
from profiling.logs.entry import parse_time
from profiling.logs.log_tables import comparison_text, other_version_text, revision_text
from profiling.logs.selection import Requests
from profiling.logs.source import Log, SourceError, Window, gather, read_file
from profiling.logs.summary import RevisionSummary, by_revision

if TYPE_CHECKING:
    from profiling.logs.comparison import Comparison, Side
    from profiling.logs.drift import Drift

FORMAT = 1
"""Version of the JSON document."""
INSTALL = "pip install -r requirements-profiling.txt"
"""What --compare, --drift and --html need is there."""
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status is 0, 1 (nothing could be read) or 2 (wrong arguments)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.file is None) == (options.project is None):
        parser.error("give --file FILE, or --project and --service")
    if options.project is not None and options.service is None:
        parser.error("--project needs --service too")
    if options.compare and options.drift:
        parser.error("--drift takes no BUNDLE with --compare: A is what B is compared with")
    try:
        log = _read(options)
        summaries = by_revision(log)
        sides = _sides(log, *options.compare) if options.compare else None
        comparison = _compare(*sides) if sides else None
        drifts = _drifts(log, sides, options.drift) if options.drift is not None else []
        if options.html is not None:
            from profiling.logs.logs_page import write_page

            write_page(options.html, log, summaries, comparison, drifts)
            print(f"wrote {options.html}", file=sys.stderr)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is missing; {INSTALL}", file=sys.stderr)
        return 1
    except (SourceError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(document_text(log, summaries, comparison, drifts))
        return 0
    if log.other_version:
        print(f"{other_version_text(log.other_version)}\n")
    if comparison is not None:
        print(comparison_text(comparison))
    for drift in drifts:
        from profiling.logs.drift_tables import drift_text

        print(drift_text(drift))
    for summary in summaries:
        print(revision_text(summary))
    if log.skipped:
        print(f"{log.skipped} entries were no request of the function", file=sys.stderr)
    return 0


def document_text(
    log: Log,
    summaries: Sequence[RevisionSummary],
    comparison: Comparison | None,
    drifts: Sequence[Drift] = (),
) -> str:
    """The JSON document."""
    document = {
        "format": FORMAT,
        "revisions": summaries,
        "comparison": comparison,
        "drift": drifts,
        "other_version": log.other_version,
        "skipped": log.skipped,
    }
    return json.dumps(document, default=dataclasses.asdict, indent=2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m profiling logs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--file", type=Path, metavar="FILE", help="log lines or LogEntries; - for a pipe")
    add("--project", help="read Cloud Logging of this project")
    add("--service", help="the Cloud Run service, or the function's name")
    add(
        "--since",
        type=_moment,
        help="a time, a date, or how long ago: 90m, 24h, 7d (default for --project: 24h)",
    )
    add("--until", type=_moment, help="likewise (default: now)")
    add("--revision", action="append", default=[], help="only this one; may be repeated")
    add("--compare", nargs=2, metavar=("A", "B"), help="two revisions or periods START/END")
    add(
        "--drift",
        nargs="?",
        const="",
        metavar="BUNDLE",
        help="whether the answers changed: over time, or from A to B, and, with the directory of "
        "a bundle, against the answers that its training held out",
    )
    add("--limit", type=_positive, default=100_000, help="most entries (default: 100000)")
    add("--endpoint", metavar="HOST:PORT", help="a regional or private endpoint of Cloud Logging")
    add("--html", type=Path, metavar="OUT", help="write the same as a page with plots")
    add("--json", action="store_true", help="print JSON instead of tables")
    return parser


def _read(options: argparse.Namespace) -> Log:
    window = Window(options.since, options.until, tuple(options.revision))
    if options.file is not None:
        entries, where = read_file(options.file), str(options.file)
    else:
        if window.since is None:
            window = dataclasses.replace(window, since=datetime.now(UTC) - timedelta(hours=24))
        entries = read_cloud(
            options.project, options.service, window, options.limit, options.endpoint
        )
        where = f"{options.service} in {options.project}"
    log = gather(entries, window)
    if not len(log.requests) and not log.failures:
        if log.other_version:
            raise SourceError(f"{where}: no request; {other_version_text(log.other_version)}")
        raise SourceError(
            f"{where}: no request and no error in {log.skipped} entries read; give what the "
            "function prints, or a wider --since"
        )
    return log


def _sides(log: Log, a: str, b: str) -> tuple[Side, Side]:
    from profiling.logs.comparison import Side  # imports scipy

    return Side(a, _requests(log, a)), Side(b, _requests(log, b))


def _compare(a: Side, b: Side) -> Comparison:
    from profiling.logs.comparison import compare

    return compare(a, b)


def _drifts(log: Log, sides: tuple[Side, Side] | None, bundle: str) -> list[Drift]:
    from profiling.logs.drift import drift_of_sides, drift_over_time  # imports scipy

    if sides is not None:
        return drift_of_sides(*sides)
    return drift_over_time(log.requests, Path(bundle) if bundle else None)


def _requests(log: Log, name: str) -> Requests:
    """The requests of a revision or a period; raises SourceError when there are none."""
    if "/" in name:
        start, _, end = name.partition("/")
        try:
            requests = log.requests.between(parse_time(start), parse_time(end))
        except ValueError:
            message = f"--compare {name}: give a period as 2026-11-20/2026-11-21T12:00"
            raise SourceError(message) from None
    else:
        requests = log.requests.of_revision(name)
    if not len(requests):
        known = ", ".join(log.requests.revisions) or "none"
        period = log.requests.period
        times = f"times read: {period[0]} to {period[1]}" if period else "no line has a time"
        raise SourceError(f"--compare {name}: no request; revisions read: {known}; {times}")
    return requests


def _moment(text: str) -> datetime:
    age = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    try:
        if age:
            return datetime.now(UTC) - timedelta(**{UNITS[age[2]]: int(age[1])})
        return parse_time(text)
    except (ValueError, OverflowError):
        message = f"{text!r}: give 90m, 24h, 7d, a date or a time such as 2026-11-22T08:00"
        raise argparse.ArgumentTypeError(message) from None


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number of 1 or more")
    return int(text)
