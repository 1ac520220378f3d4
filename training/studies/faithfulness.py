"""Do the words that an explanation names carry the answer?

    python -m training.studies.faithfulness training/ingredients/ingredients.jsonl.gz

Of each test text with two words or more, the word named first and another one, drawn at random, are
left out in turn; and each is sent alone. Every score is taken anew, in other runs than those of the
explanation. That leaving out the first word costs more is close to how it was chosen; that it keeps
the label when it stands alone is not.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model.classifier import Classifier
from model.occlusion import MAX_WORDS, WORD, WordEffect, explain
from tables.reader import TableReader
from tables.text import markdown

SHIPPED = Path("model/ingredients")
SEED = 7
FIGURES = {
    "texts": "texts",
    "lowered_more_percent": "first word lowers the score more, %",
    "change_without_first": "change without the first",
    "change_without_random": "change without a random one",
    "likeliest_with_first_percent": "still likeliest with the first alone, %",
    "likeliest_with_random_percent": "with a random one alone, %",
}
"""What is measured for each task, by the title of its column."""


class WordTrial(NamedTuple):
    """One text, one task, and two of its words as (start, end)."""

    text: str
    task: str
    label: str
    first: tuple[int, int]
    drawn: tuple[int, int]

    def texts(self) -> list[str]:
        """The text, without the first word, without the other, and each of them alone."""
        without = [self.text[:start] + self.text[end:] for start, end in (self.first, self.drawn)]
        alone = [self.text[start:end] for start, end in (self.first, self.drawn)]
        return [self.text, *without, *alone]


def read_texts(path: Path, split: str, most: int) -> list[str]:
    """So many texts of a split with two words or more, drawn with a seed; all without a split."""
    with TableReader(path) as reader:
        fields: list[dict[str, Any]] = [dict(row.fields or {}) for row in reader]
    texts = [row["text"] for row in fields if row.get("split", split) == split]
    texts = [text for text in dict.fromkeys(texts) if 2 <= len(text.split()) <= MAX_WORDS]
    return random.Random(SEED).sample(texts, min(most, len(texts)))


def trials_of(classifier: Classifier, texts: list[str]) -> list[WordTrial]:
    """One for each text and task that is answered with a label which some word changes."""
    draw = random.Random(SEED)
    predictions = classifier.predict(texts)
    trials = []
    explanations = explain(classifier, texts, predictions)
    for text, prediction, explanation in zip(texts, predictions, explanations, strict=True):
        for task, effects in explanation.items():
            if effects:
                first, drawn = _place(effects[0]), _other(text, effects[0], draw)
                trials.append(WordTrial(text, task, prediction[task][0]["label"], first, drawn))
    return trials


def _place(effect: WordEffect) -> tuple[int, int]:
    return effect["start"], effect["end"]


def _other(text: str, first: WordEffect, draw: random.Random) -> tuple[int, int]:
    places = [word.span() for word in WORD.finditer(text)]
    return draw.choice([place for place in places if place != _place(first)])


def measure(classifier: Classifier, trials: list[WordTrial]) -> dict[str, dict[str, float]]:
    """FIGURES by task; changes are of the label's probability."""
    texts = [text for trial in trials for text in trial.texts()]
    probabilities = classifier.probabilities(classifier.logits(texts))
    figures = {}
    for head in classifier.bundle.heads:
        numbers = [number for number, trial in enumerate(trials) if trial.task == head.name]
        if not numbers:
            continue
        rows = np.array(numbers)[:, None] * 5 + np.arange(5)  # [trials, texts of a trial]
        labels = np.array([head.labels.index(trials[number].label) for number in numbers])
        of_task = head.of(probabilities)[rows]  # [trials, texts of a trial, labels]
        scores = np.take_along_axis(of_task, labels[:, None, None], axis=2)[..., 0]
        likeliest = of_task.argmax(axis=2) == labels[:, None]
        means = [
            (scores[:, 1] < scores[:, 2]).mean() * 100,
            (scores[:, 1] - scores[:, 0]).mean(),
            (scores[:, 2] - scores[:, 0]).mean(),
            likeliest[:, 3].mean() * 100,
            likeliest[:, 4].mean() * 100,
        ]
        values = [len(numbers), *(round(float(mean), 3) for mean in means)]
        figures[head.name] = dict(zip(FIGURES, values, strict=True))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="a table with `text`, and `split` if it is split")
    parser.add_argument(
        "--bundle", type=Path, default=SHIPPED, metavar="DIR", help="default: shipped"
    )
    parser.add_argument("--texts", type=int, default=400, metavar="N", help="default: 400")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the figures go as JSON")
    options = parser.parse_args()
    classifier = Classifier.load(options.bundle)
    texts = read_texts(options.table, "test", options.texts)
    figures = measure(classifier, trials_of(classifier, texts))
    rows = [
        [task, *(f"{value:g}" for value in of_task.values())] for task, of_task in figures.items()
    ]
    print(markdown(["task", *FIGURES.values()], rows, numbers_from=1))
    if options.out:
        document = {"bundle": classifier.bundle.identity, "texts": len(texts), "tasks": figures}
        options.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
