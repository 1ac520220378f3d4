"""Which stages still have to run? A run that was killed goes on where it stopped.

Every stage writes into `DIR.work/STAGE/`. It is finished once `finished.json` stands there, which
holds what the stage was made from (see origins.py). When any of that changes, the stage and all
that follow run again, and the run says why. A stage that was only started goes on from its newest
checkpoint.
"""

from __future__ import annotations

import fcntl
import importlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from model.aside import clear_leftovers, read_json, write_json
from model.bundle import BundleError, read_bundle
from model.bundle_writer import refuse_other_files
from training.advice.advice_report import advice_lines, put_advice
from training.examine import read_by_base, warnings
from training.judge.training_report import report_performance, write_report
from training.origins import Origin, changes, origins, stages_up_to
from training.page.training_page import write_page
from training.recipe import Recipe
from training.run import Run, RunError
from training.stages import STAGES, Stage

STARTED, FINISHED, CHECKPOINTS = "started.json", "finished.json", "checkpoints"


class BusyError(RunError):
    """Another run is using the same output directory."""


def train(recipe: Recipe, out: Path, last: str, load_report: bool) -> int:
    """The stages up to `last`, the report of a whole run and of its bundle under load."""
    run = Run(recipe, out)
    table_warnings = [*warnings(run.table), *read_by_base(recipe, run.table).problems()]
    for line in run.table.notes:
        print(f"note: {line}", flush=True)
    for line in table_warnings:
        print(f"warning: {line}", flush=True)
    seconds = run_stages(run, last)
    if last == STAGES[-1].name and PartialState().is_main_process:
        files = put_advice(run)
        advice = list(advice_lines(run.facts("advise"), files))
        print(write_report(run, seconds, table_warnings, advice), flush=True)
        write_page(run, files)
        if load_report:
            report_performance(run)
    return 0


def run_stages(run: Run, last: str = STAGES[-1].name) -> dict[str, Any]:
    """Bring all stages up to `last` up to date. Returns {stage: {"wall": s, "cpu": s}}.

    Raises BusyError, and whatever a stage raises.
    """
    refuse_other_files(run.target)
    run.work.mkdir(parents=True, exist_ok=True)
    processes = PartialState(cpu=not torch.cuda.is_available())
    stages = stages_up_to(run.recipe, last)
    with _locked(run.work, processes):
        if processes.is_main_process:
            clear_leftovers(run.target.parent, run.target.name)
            clear_leftovers(run.report)
        for stage, origin in origins(run.recipe, stages):
            _bring_up_to_date(stage, run, origin, processes)
    return {stage.name: read_json(run.work / stage.name / FINISHED)["seconds"] for stage in stages}


def _bring_up_to_date(stage: Stage, run: Run, origin: Origin, processes: PartialState) -> None:
    """Run `stage` unless it is finished; under torchrun every process comes here."""
    folder = run.work / stage.name

    def say(what: str) -> None:
        processes.print(f"{stage.name}: {what}", flush=True)  # said before a kill, read after it

    finished, started = (read_json(folder / name) or {} for name in (FINISHED, STARTED))
    if finished.get("made_from") == origin and _is_whole(stage, run):
        say("finished before, kept")
        if processes.is_main_process:
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        return
    processes.wait_for_everyone()
    if processes.is_main_process:
        count = processes.num_processes
        was_stopped = started.get("made_from") == origin and not finished
        if was_stopped and stage.trains and started.get("processes") == count:
            say("goes on where it was stopped")
            clear_leftovers(folder)
        else:
            say(_reason(finished or started, origin, count))
            for name in (FINISHED, STARTED):  # delete the markers before the files they describe
                (folder / name).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            write_json(folder / STARTED, {"made_from": origin, "processes": count})
    processes.wait_for_everyone()
    wall, cpu = time.monotonic(), time.process_time()
    if stage.trains or processes.is_main_process:
        importlib.import_module(stage.module).run(run, folder)
    processes.wait_for_everyone()
    seconds = {
        "wall": round(time.monotonic() - wall, 1),
        "cpu": round(time.process_time() - cpu, 1),
    }
    if processes.is_main_process:
        write_json(folder / FINISHED, {"made_from": origin, "seconds": seconds})
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        say(f"done in {seconds['wall']} s")
    processes.wait_for_everyone()


def _reason(before: dict[str, Any], origin: Origin, processes: int) -> str:
    if not before:
        return "runs"
    without_change = "its result is missing or altered" if "seconds" in before else "it was stopped"
    if (others := before.get("processes", processes)) != processes:  # whose steps are others
        without_change = f"processes: {others} is now {processes}"
    return f"runs again: {changes(before['made_from'], origin) or without_change}"


def _is_whole(stage: Stage, run: Run) -> bool:
    """Whether the bundle in place is the one that the last stage wrote."""
    if stage is not STAGES[-1]:
        return True
    try:
        return read_bundle(run.target).digest == (run.work / stage.name / "digest.txt").read_text()
    except (BundleError, OSError):
        return False


@contextmanager
def _locked(work: Path, processes: PartialState) -> Iterator[None]:
    """Hold the work directory for this run; the lock goes with the process, however it ends."""
    if not processes.is_main_process:
        yield
        return
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"{work}: another run is using it; wait for it or stop it") from None
        yield
