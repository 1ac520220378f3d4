"""Has this student been trained and judged before? If not, it is; nothing is done twice.

All students of one vocabulary are trained in one work directory, by the pipeline's own stages:
its teacher stays where it is, and a student that was stopped goes on. A finished candidate's
bundles move to `points/NAME/` whole, then a record of what they were made from joins them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.aside import clear_leftovers, directory_aside, read_json
from model.bundle import read_bundle
from model.bundle_writer import copied_bundle
from training.fit.network import SHAPE
from training.judge.drops import int8_warnings
from training.origins import fingerprint
from training.pipeline import run_stages
from training.quantize.export import export_network
from training.quantize.quantize_student import QuantizationError, int8_bundle
from training.recipe import Recipe
from training.run import Run
from training.studies.study import headlines, mean, measured_once
from training.studies.sweep.front import Point
from training.studies.sweep.grid import Bounds, Candidate

STUDENT_INT8 = ("student", "int8")


class Trials:
    """The trials of one run's recipe, in its work directory."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._work = run.work / "sweep"

    def bounds(self) -> Bounds:
        """Make the recipe's vocabulary, and say what bounds a grid."""
        run = self.bring_to(self.run.recipe, "vocabulary")
        facts = run.facts("vocabulary")
        base = read_json(run.base / "config.json")
        rows = len(run.table.split("train"))
        return Bounds(base, facts["pieces"], facts["max_tokens"], rows)

    def teacher(self) -> list[Point]:
        """The recipe's own teacher, as an fp32 and an int8 bundle."""
        recipe = self.run.recipe

        def make(folder: Path) -> list[str]:
            run = self.bring_to(recipe, "teacher")
            export_network(run, "teacher", folder / "fp32")
            if "int8" in recipe.sweep.precisions:
                int8_bundle(run, folder / "fp32", folder / "int8", recipe.quantize)
            return []

        return self._points("teacher", "teacher", recipe, (), make)

    def student(self, candidate: Candidate) -> list[Point]:
        """The candidate's bundles: each precision, and each sequence limit."""
        precisions = self.run.recipe.sweep.precisions

        def make(folder: Path) -> list[str]:
            run = self.bring_to(candidate.recipe, "export")
            if "fp32" in precisions:
                shutil.copytree(run.work / "export" / "student", folder / "fp32")
            notes = []
            if "int8" in precisions:
                try:
                    self.bring_to(candidate.recipe, "quantize")
                    shutil.copytree(run.work / "quantize" / "int8", folder / "int8")
                except QuantizationError as error:
                    notes.append(f"{candidate.name} int8 is left out: {error}")
            for path in sorted(folder.iterdir()):
                for limit in candidate.limits:
                    shorter = folder / f"{path.name}-{limit}"
                    copied_bundle(read_bundle(path), shorter, max_tokens=limit)
            return notes

        return self._points(candidate.name, "student", candidate.recipe, candidate.limits, make)

    def bring_to(self, recipe: Recipe, last: str) -> Run:
        """The recipe's run in its vocabulary's work directory, its stages up to `last` done."""
        run = Run(recipe, self._work / f"pieces-{recipe.vocabulary.pieces or 'own'}")
        run_stages(run, last)
        return run

    def _points(
        self,
        name: str,
        network: str,
        recipe: Recipe,
        limits: tuple[int, ...],
        make: Callable[[Path], list[str]],
    ) -> list[Point]:
        """The recorded points of `name`, or those of the bundles that `make` writes now."""
        folder = self._work / "points" / name

        def measure() -> dict[str, Any]:
            clear_leftovers(folder.parent, name)
            with directory_aside(folder) as aside:
                notes = make(aside)
                run = self.bring_to(recipe, "vocabulary")
                return {"points": list(self._fields(run, name, network, aside)), "notes": notes}

        made_from = {
            "stages": fingerprint(recipe, "teacher" if network == "teacher" else "export"),
            "quantize": asdict(recipe.quantize),
            "precisions": recipe.sweep.precisions,
            "limits": limits,
        }
        result = measured_once(folder / "record.json", name, made_from, measure)
        for note in result["notes"]:
            print(f"note: {note}", flush=True)
        return [
            Point(**{**fields, "bundle": str(folder / fields["bundle"])})
            for fields in result["points"]
        ]

    def _warnings(self, run: Run) -> list[str]:
        limit = self.run.recipe.quantize.max_drop
        return int8_warnings(run.facts("quantize"), limit, "undecided")

    def _fields(self, run: Run, name: str, network: str, folder: Path) -> Iterator[dict[str, Any]]:
        """Point's fields for every bundle in `folder`, latencies excepted."""
        shape = read_json(run.work / network / SHAPE)["encoder"]
        for path in sorted(path for path in folder.iterdir() if path.is_dir()):
            precision, _, limit = path.name.partition("-")
            validation, test = (
                headlines(self.run.table, path, split) for split in ("validation", "test")
            )
            yield {
                "name": f"{name} {precision}" + (f", {limit} tokens" if limit else ""),
                "network": network,
                "precision": precision,
                "layers": shape["num_hidden_layers"],
                "width": shape["hidden_size"],
                "pieces": run.facts("vocabulary")["pieces"],
                "max_tokens": read_bundle(path).max_tokens,
                "bundle": path.name,
                "mb": sum(file.stat().st_size for file in path.iterdir()) / 1e6,
                "accuracy": mean(validation),
                "test": mean(test),
                "validation_tasks": validation,
                "test_tasks": test,
                "warnings": self._warnings(run) if (network, precision) == STUDENT_INT8 else [],
            }
