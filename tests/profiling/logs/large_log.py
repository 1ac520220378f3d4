"""A log as long as one wants, to see what reading it takes.

    python -m tests.profiling.logs.large_log MEGABYTES | python -m profiling logs --file -

Two revisions of six instances each, cold starts among their lines and 1 % of errors; threads write
their lines a little out of order.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from typing import Any

from tests.profiling.logs.lines import answer_counts, line
from tests.serving import ROOT

COLD = (ROOT / "tests" / "frozen" / "function.log").read_text("utf-8").splitlines()[0]
PARTS_MS = {"parse": 0.03, "tokenize": 0.06, "run": 1.2, "softmax": 0.03, "respond": 0.02}
TOPICS = ("ingredient", "not_ingredient")
TAGS: tuple[list[str], ...] = ([], ["dairy"], ["meat"], ["fruit"], ["cereal"], ["fruit", "nut"])
REVISIONS = ("polyhead-00003-abc", "polyhead-00004-def")
INSTANCES = 12
RATE_S = 50
"""Requests a second."""
RENEWED = 1 / 2000
"""Share of the requests that come to an instance which just started."""


def entries(seed: int = 1) -> Iterator[dict[str, Any]]:
    """Lines without end, the same for the same seed."""
    chance = random.Random(seed)
    started_s: dict[int, float] = {}
    names: dict[int, str] = {}
    at_s = 0.0
    while True:
        at_s += chance.expovariate(RATE_S)
        place = chance.randrange(INSTANCES)
        is_cold = place not in names or chance.random() < RENEWED
        if is_cold:
            names[place], started_s[place] = f"{chance.getrandbits(32):08x}-1", at_s
        entry = json.loads(COLD) if is_cold else _warm(chance)
        entry["time"] = line(at_s=at_s + 0.03 * chance.random())["time"]
        trace = f"projects/my-project/traces/{chance.getrandbits(128):032x}"
        entry["logging.googleapis.com/trace"] = trace
        entry["profile"] |= {
            "rss_mb": round(66 + 3 * chance.random(), 1),
            "revision": REVISIONS[place % len(REVISIONS)],
            "instance": {
                "id": names[place],
                "age_s": round(at_s - started_s[place], 3),
                "requests": 1,
                "restart": False,
            },
        }
        yield entry


def _warm(chance: random.Random) -> dict[str, Any]:
    """A line of format 2 with the fields that a served one has."""
    parts: dict[str, tuple[float, float]] = {}
    end_ms = 0.02
    for name, usual_ms in PARTS_MS.items():
        duration_ms = round(usual_ms * chance.lognormvariate(0, 0.3), 3)
        parts[name] = (round(end_ms, 3), duration_ms)
        end_ms += duration_ms + 0.01
    status = 200 if chance.random() < 0.99 else chance.choice((400, 500))
    entry = line(round(end_ms, 3), status=status, spans=parts if status == 200 else {})
    for number, row in enumerate(entry["profile"]["spans"]):
        row["parent"] = 0 if number else None
    entry["profile"] |= {
        "format": 2,
        "tokens": chance.randrange(4, 20),
        "bundle": "ingredients@76bc6b687ca8",
        "graph": "copy",
        "dropped": 0,
    }
    if status == 200:
        text: dict[str, str | list[str]] = {
            "ingredient": chance.choice(TOPICS),
            "source": chance.choice(("plant", "animal", "other")),
            "category": chance.choice(TAGS),
        }
        score = round(0.5 + chance.random() / 2, 3)
        entry["profile"]["answers"] = answer_counts(text, score=score)
    return entry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", type=float, metavar="MEGABYTES")
    left = parser.parse_args().megabytes * 1e6
    for entry in entries():
        left -= sys.stdout.write(json.dumps(entry) + "\n")
        if left <= 0:
            return


if __name__ == "__main__":
    main()
