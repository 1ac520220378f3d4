"""Has this student been trained and judged before? If not, it is; nothing is done twice.

All students of one vocabulary are trained in one work directory, by the pipeline's own stages:
its teacher stays where it is, and a student that was stopped goes on. A finished candidate's
bundles move to `points/NAME/` whole, with a record of what they were made from.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.aside import directory_aside, write_json
from model.bundle import MODEL, read_bundle
from training.fit.network import SHAPE
from training.origins import fingerprint
from training.pipeline import run_stages
from training.quantize.export import calibrated_bundle, copied_bundle, export_network
from training.quantize.quantize_student import QuantizationError
from training.quantize.schemes import quantize_onnx
from training.recipe import Recipe
from training.run import Run
from training.studies.sweep.grid import Candidate, Ground
from training.studies.sweep.measure import headlines, mean, megabytes
from training.studies.sweep.points import Point

RECORD = "record.json"


class Trials:
    """The trials of one recipe in `work`."""

    def __init__(self, recipe: Recipe, work: Path) -> None:
        self.recipe = recipe
        self.work = work
        self.points = work / "points"

    def ground(self) -> Ground:
        """Make the recipe's vocabulary, and say what a grid can be laid on."""
        run = self.bring_to(self.recipe, "vocabulary")
        facts = run.facts("vocabulary")
        base = json.loads((run.base / "config.json").read_text())
        return Ground(base, facts["pieces"], facts["max_tokens"])

    def teacher(self) -> list[Point]:
        """The recipe's own teacher, as an fp32 and an int8 bundle."""

        def make(folder: Path) -> list[str]:
            run = self.bring_to(self.recipe, "teacher")
            export_network(run, "teacher", folder / "fp32")
            if "int8" in self.recipe.sweep.precisions:
                graph = folder / "int8.onnx"
                quantize_onnx(folder / "fp32" / MODEL, graph, self.recipe.quantize)
                calibrated_bundle(run, folder / "int8", graph)
                graph.unlink()
            return []

        return self._points("teacher", self.recipe, (), make)

    def student(self, candidate: Candidate) -> list[Point]:
        """The candidate's bundles: each precision, and each sequence limit."""
        precisions = self.recipe.sweep.precisions

        def make(folder: Path) -> list[str]:
            run = self.bring_to(candidate.recipe, "export")
            if "fp32" in precisions:
                shutil.copytree(run.work / "export" / "student", folder / "fp32")
            refused = []
            if "int8" in precisions:
                try:
                    self.bring_to(candidate.recipe, "quantize")
                    shutil.copytree(run.work / "quantize" / "int8", folder / "int8")
                except QuantizationError as error:
                    refused.append(f"{candidate.name} int8 is left out: {error}")
            for path in sorted(folder.iterdir()):
                for limit in candidate.limits:
                    shorter = folder / f"{path.name}-{limit}"
                    copied_bundle(read_bundle(path), shorter, max_tokens=limit)
            return refused

        return self._points(candidate.name, candidate.recipe, candidate.limits, make)

    def bring_to(self, recipe: Recipe, last: str) -> Run:
        """The recipe's run in its vocabulary's work directory, its stages up to `last` done."""
        target = self.work / f"pieces-{recipe.vocabulary.pieces or 'own'}"
        run = Run(recipe, target)
        run_stages(run, last)
        return run

    def _points(
        self, name: str, recipe: Recipe, limits: tuple[int, ...], make: Callable[[Path], list[str]]
    ) -> list[Point]:
        """The recorded points of `name`, or those of the bundles that `make` writes now."""
        folder = self.points / name
        made_from = json.loads(json.dumps({
            "stages": fingerprint(recipe, "teacher" if name == "teacher" else "export"),
            "quantize": asdict(self.recipe.quantize),
            "precisions": self.recipe.sweep.precisions,
            "limits": limits,
        }))  # fmt: skip
        record = _read(folder / RECORD)
        if record.get("made_from") == made_from:
            print(f"{name}: measured before, kept", flush=True)
        else:
            print(f"{name}: trained and measured now", flush=True)
            with directory_aside(folder) as aside:
                notes = make(aside)
                facts = list(_facts(self.bring_to(recipe, "vocabulary"), name, aside))
                record = {"made_from": made_from, "points": facts, "notes": notes}
                write_json(aside / RECORD, record)
        for note in record["notes"]:
            print(f"note: {note}", flush=True)
        return [
            Point(**{**facts, "bundle": str(folder / facts["bundle"])})
            for facts in record["points"]
        ]


def _facts(run: Run, name: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Point's fields for every bundle in `folder`, latency excepted."""
    network = "teacher" if name == "teacher" else "student"
    shape = json.loads((run.work / network / SHAPE).read_text())["encoder"]
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        precision, _, limit = path.name.partition("-")
        validation, test = (headlines(run.table, path, s) for s in ("validation", "test"))
        yield {
            "name": f"{name} {precision}" + (f", {limit} tokens" if limit else ""),
            "network": network,
            "precision": precision,
            "layers": shape["num_hidden_layers"],
            "width": shape["hidden_size"],
            "pieces": run.facts("vocabulary")["pieces"],
            "max_tokens": read_bundle(path).max_tokens,
            "bundle": path.name,
            "mb": megabytes(path),
            "accuracy": mean(validation),
            "test": mean(test),
            "validation_tasks": validation,
            "test_tasks": test,
        }


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found
