"""The notebook of the docs runs from its table to its served answer."""

from __future__ import annotations

import ast
import copy
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from model.bundle import read_bundle
from model.classifier import Classifier
from training.stages import STAGE_NAMES

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "quickstart.ipynb"
LONGEST_S = 600
LEFT_OUT = ("pretrain", "refit", "verify")
"""Stages that the notebook's call does without."""


def read_notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def the_cell(notebook: Any, text: str) -> Any:
    """The one cell of code that holds `text`."""
    (cell,) = [cell for cell in code_cells(notebook) if text in cell.source]
    return cell


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_notebook_is_kept_without_outputs() -> None:
    """They would be figures of one machine that no test compares."""
    for cell in code_cells(read_notebook()):
        assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.slow
def test_the_notebook_goes_from_a_table_to_a_served_answer(tmp_path: Path) -> None:
    notebook = read_notebook()
    training = the_cell(notebook, "train(")
    again = copy.deepcopy(training)  # as a reader who runs the cell twice
    notebook.cells.insert(notebook.cells.index(training) + 1, again)
    place = {"metadata": {"path": str(NOTEBOOK.parent)}}
    client = NotebookClient(notebook, timeout=LONGEST_S, kernel_name="python3", resources=place)
    own = {"TMPDIR": str(tmp_path), "IPYTHONDIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    client.execute(env={**os.environ, **own})

    bundle = read_bundle(tmp_path / "quickstart")
    assert again.outputs[-1].data["text/plain"] == repr(bundle.identity)
    printed = "".join(output.text for output in again.outputs if output.get("name") == "stdout")
    kept = re.findall(r"^(\w+): finished before, kept$", printed, re.MULTILINE)
    assert kept == [stage for stage in STAGE_NAMES if stage not in LEFT_OUT]

    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert len([output for output in outputs if "image/png" in output.get("data", {})]) == 3
    reply = the_cell(notebook, "serving(")
    texts = ["smoked salmon", "butter knife"]
    assert all(text in reply.source for text in texts)
    assert ast.literal_eval(reply.outputs[-1].data["text/plain"]) == {
        "predictions": Classifier.load(bundle.path).predict(texts),
        "bundle": bundle.identity,
    }
