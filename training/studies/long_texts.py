"""Which part of a long text should be read, if the recipe does not say?

    python -m training.studies.long_texts --sources ../shared/data --out DIR

Makes documents of WordNet's definitions, a table for each place where what decides can stand: a
verdict at their end, at their start, or what all of a document is about. Each table is trained for
each part of [data] long_texts, and what ships is compared with TF-IDF, which reads all of a text.

What was measured is in DIR/NAME.json, so a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from model.aside import write_text
from tables.text import markdown
from tables.writer import json_lines
from training.data_spec import LongTexts
from training.judge.evaluate import baseline_metrics
from training.judge.judged import judge_bundle
from training.pipeline import run_stages
from training.recipe import DEFAULT_BASE, read_recipe
from training.run import Run
from training.studies.study import measured_once

START, END, THROUGHOUT = PLACES = ("start", "end", "throughout")
LABEL = "verdict"
SPLITS = {"train": 0.6, "validation": 0.15, "test": 0.25}
"""Shares of the documents."""
VERDICTS = {
    "granted": (
        "the committee grants the application", "the board has approved the request",
        "the council accepted the proposal", "permission is given without conditions",
        "we agree to the plan as it stands", "the licence was issued on the same day",
        "the jury found in favour of the applicant", "the petition succeeded",
    ),
    "refused": (
        "the committee refuses the application", "the board has rejected the request",
        "the council turned the proposal down", "permission is denied for good",
        "we object to the plan as it stands", "the licence was withheld on the same day",
        "the jury found against the applicant", "the petition failed",
    ),
}  # fmt: skip
RECIPE = """name = "long-texts"
base = {base}
[data]
files = ["rows.jsonl"]
max_tokens = {max_tokens}
long_texts = "{long_texts}"
[[task]]
name = "verdict"
kind = "single"
[ship]
refit = false
{settings}
"""
COLUMNS = ("int8", "student", "teacher", "linear", "frozen", "minutes")

Sentences = Mapping[str, Sequence[str]]
"""Those of each topic."""
Fields = dict[str, str]


class LongTextTrial(NamedTuple):
    place: str
    long_texts: str
    max_tokens: int
    documents: int = 160
    words: int = 1500
    base: str = DEFAULT_BASE
    settings: str = ""
    """More of the recipe, as TOML."""

    @property
    def name(self) -> str:
        return "-".join(map(str, self[:5]))


def definitions(sources: Path) -> dict[str, list[str]]:
    """WordNet's definitions of nouns, of the four topics that have most."""
    of_topic: dict[str, list[str]] = defaultdict(list)
    with gzip.open(sources / "oewn" / "synsets.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            synset = json.loads(line)
            of_topic[synset["lexfile"]].append(synset["definition"])
    most = sorted(of_topic, key=lambda topic: -len(of_topic[topic]))[:4]
    return {topic: of_topic[topic] for topic in most}


def documents(
    sentences: Sentences, place: str, count: int, words: int, seed: int = 1
) -> Iterator[Fields]:
    """Rows with a text of about `words` words, its label and its split, labels in turn."""
    dice = random.Random(seed)
    everything = [sentence for part in sentences.values() for sentence in part]
    labels = list(sentences if place == THROUGHOUT else VERDICTS)
    bounds = [round(count * share) for share in (0, *SPLITS.values())]
    splits = [name for name, size in zip(SPLITS, bounds[1:], strict=True) for _ in range(size)]
    for number, split in enumerate(splits):
        label = labels[number % len(labels)]
        text = _filler(sentences[label] if place == THROUGHOUT else everything, words, dice)
        if place == END:
            text.append(dice.choice(VERDICTS[label]))
        elif place == START:
            text.insert(0, dice.choice(VERDICTS[label]))
        yield {"text": ". ".join(text) + ".", LABEL: label, "split": split}


def _filler(sentences: Sequence[str], words: int, dice: random.Random) -> list[str]:
    text: list[str] = []
    length = 0
    while length < words:
        text.append(dice.choice(sentences))
        length += len(text[-1].split())
    return text


def run_of(trial: LongTextTrial, folder: Path, sentences: Sentences) -> Run:
    """The run of a trial, its table and recipe written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(documents(sentences, trial.place, trial.documents, trial.words))
    (folder / "rows.jsonl").write_bytes(json_lines(rows))
    fields = {**trial._asdict(), "base": json.dumps(trial.base)}
    write_text(folder / "recipe.toml", RECIPE.format(**fields))
    return Run(read_recipe(folder / "recipe.toml"), folder / "out")


def measured(trial: LongTextTrial, folder: Path, sentences: Sentences) -> dict[str, Any]:
    """Percent right of the test rows, and what the run took; the run is removed afterwards."""
    run = run_of(trial, folder, sentences)
    seconds = run_stages(run, "quantize")
    bundles = {
        "int8": run.work / "quantize" / "int8",
        "student": run.work / "export" / "student",
        "teacher": run.work / "export" / "teacher",
    }
    figures = {name: _right(run, bundle) for name, bundle in bundles.items()}
    baselines = baseline_metrics(run)
    figures["linear"] = baselines["baseline"]["tasks"][LABEL]["accuracy"]
    figures["frozen"] = baselines["frozen"]["tasks"][LABEL]["accuracy"]
    figures["minutes"] = sum(times["cpu"] for times in seconds.values()) / 60
    shutil.rmtree(folder)
    return {key: round(figures[key], 1) for key in COLUMNS}


def _right(run: Run, bundle: Path) -> float:
    (task,) = judge_bundle(run.table, bundle, "test")
    return task.headline or 0.0


def report(records: Mapping[LongTextTrial, Mapping[str, Any]]) -> str:
    """Markdown: a row for each trial."""
    header = ["what decides", "read", "tokens", *COLUMNS]
    return markdown(
        header,
        [
            [trial.place, trial.long_texts, str(trial.max_tokens)]
            + [str(record[key]) for key in COLUMNS]
            for trial, record in records.items()
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.studies.long_texts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sources", type=Path, required=True, help="folder with oewn/")
    parser.add_argument("--out", type=Path, required=True, help="where figures are kept")
    parser.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES))
    parts = get_args(LongTexts)
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--documents", type=int, default=160)
    parser.add_argument("--words", type=int, default=1500, help="of a document")
    parser.add_argument("--base", default=DEFAULT_BASE)
    settings_help = "TOML file with more sections of the recipe"
    parser.add_argument("--settings", type=Path, metavar="FILE", help=settings_help)
    options = parser.parse_args(arguments)
    sentences = definitions(options.sources)
    settings = options.settings.read_text(encoding="utf-8") if options.settings else ""
    size = options.max_tokens, options.documents, options.words, options.base, settings
    records: dict[LongTextTrial, dict[str, Any]] = {}
    for place in options.places:
        for part in options.parts:
            trial = LongTextTrial(place, part, *size)
            records[trial] = _recorded(trial, options.out, sentences)
            write_text(options.out / "long_texts.md", report(records) + "\n")
    print(report(records))
    return 0


def _recorded(trial: LongTextTrial, out: Path, sentences: Sentences) -> dict[str, Any]:
    return measured_once(
        out / f"{trial.name}.json",
        trial.name,
        list(trial),
        lambda: measured(trial, out / trial.name, sentences),
    )


if __name__ == "__main__":
    sys.exit(main())
