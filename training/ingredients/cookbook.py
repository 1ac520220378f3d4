"""Does a bundle answer right whatever an ordinary cookbook's index lists?

    python -m training.ingredients.cookbook model/ingredients

`cookbook.tsv` was written and labelled by hand before the names of kitchens came into the table,
and is no source of it. Where several categories can be defended it lists them all: an answer is
right if it gives at least one category, and none that is not listed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from model.classifier import Classifier
from tables.text import aligned
from training.ingredients.names import labels
from training.ingredients.sources import cells

LIST = Path(__file__).with_name("cookbook.tsv")
TASKS = ("ingredient", "source", "category")


def judge(entry: Mapping[str, str], answer: Mapping[str, list[str]]) -> dict[str, bool]:
    """{task: whether the answer is right}, for the tasks that the entry has labels of."""
    verdicts = {"ingredient": answer["ingredient"] == [entry["ingredient"]]}
    if entry["source"]:
        verdicts["source"] = answer["source"] == [entry["source"]]
    if allowed := labels(entry["category"]):
        verdicts["category"] = bool(answer["category"]) and {*answer["category"]} <= {*allowed}
    return verdicts


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", type=Path, help="folder of a bundle with the three tasks")
    classifier = Classifier.load(parser.parse_args(arguments).bundle)
    entries = list(cells(LIST))
    answers = [
        {task: [str(label["label"]) for label in prediction[task]] for task in TASKS}
        for prediction in classifier.predict([entry["name"] for entry in entries])
    ]
    verdicts = [judge(*pair) for pair in zip(entries, answers, strict=True)]
    lines = [["task", "names", "right", "percent"]]
    for task in TASKS:
        judged = [verdict[task] for verdict in verdicts if task in verdict]
        right = sum(judged)
        lines.append([task, str(len(judged)), str(right), f"{100 * right / len(judged):.1f}"])
    print("\n".join(aligned(lines)))
    for entry, answer, verdict in zip(entries, answers, verdicts, strict=True):
        wrong = [
            f"{task} {'|'.join(answer[task]) or '[]'}"
            for task, is_right in verdict.items()
            if not is_right
        ]
        if wrong:
            print(f"{entry['name']}: {', '.join(wrong)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
