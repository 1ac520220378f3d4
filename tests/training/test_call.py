"""A call of `train` says what a recipe says, and takes frames where a recipe names files."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

from model.bundle import BundleError
from tests.docs_text import fenced
from training import train
from training.call import recipe_of_call
from training.recipe import RecipeError, read_recipe

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "training" / "recipes").glob("*.toml"))
TASKS = {"topic": "single", "products": {"kind": "multi", "column": "p"}}
COLUMNS: dict[str, list[Any]] = {
    "text": list("abcdefgh"),
    "topic": ["x", "z"] * 3 + ["x", None],
    "p": [["y"]] * 7 + [[]],
}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.stem))
def test_all_that_a_recipe_says_a_call_can_say(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    document = tomllib.loads(path.read_text())
    tasks = {task["name"]: task for task in document.pop("task")}
    recipe, frames = recipe_of_call(document.pop("data"), tasks, Path(path.stem), document)
    assert recipe == read_recipe(path)
    assert frames == {}


def test_a_task_is_its_kind_or_its_keys(tmp_path: Path) -> None:
    recipe, _ = recipe_of_call("rows.csv", TASKS, tmp_path / "mine", {})
    assert [(task.name, task.kind, task.column) for task in recipe.tasks] == [
        ("topic", "single", "topic"),
        ("products", "multi", "p"),
    ]
    assert recipe.name == "mine"
    assert recipe.data.files[0].path == Path.cwd() / "rows.csv"


def test_a_frame_stands_wherever_a_file_may(tmp_path: Path) -> None:
    rows, texts = pandas.DataFrame(COLUMNS), polars.DataFrame({"text": ["c"]})
    files = [rows, Path("more.csv"), {"path": rows, "split": "test"}]
    data, out = {"files": files, "group": "customer"}, tmp_path / "mine"
    recipe, frames = recipe_of_call(data, TASKS, out, {"pretrain": {"files": texts}})
    work = tmp_path / "mine.work"
    assert [(file.path, file.split) for file in recipe.data.files] == [
        (work / "data-1.jsonl", None),
        (Path.cwd() / "more.csv", None),
        (work / "data-3.jsonl", "test"),
    ]
    assert recipe.data.group == "customer"
    assert recipe.pretrain is not None
    assert recipe.pretrain.files[0].path == work / "pretrain-1.jsonl"
    assert frames.keys() == {work / f"{name}.jsonl" for name in ("data-1", "data-3", "pretrain-1")}
    assert frames[work / "pretrain-1.jsonl"] is texts
    assert not work.exists(), "a wrong recipe is refused before anything is written"


@pytest.mark.parametrize("library", [pandas, polars])
def test_equal_frames_are_equal_files(library: Any, tmp_path: Path) -> None:
    """The stages know a frame by its file's content, so that the same call goes on."""
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match=r"holds thesis\.txt besides a bundle"):
        train(library.DataFrame(COLUMNS), TASKS, out)
    lines = (tmp_path / "mine.work" / "data-1.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {"text": "a", "topic": "x", "p": ["y"]}
    assert json.loads(lines[7]) == {"text": "h", "topic": None, "p": []}
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("arguments", "sections", "message"),
    [
        (("rows.csv", TASKS), {"student": {"layer": 3}}, r"\[student\] layer: .* 'layers'\?$"),
        (("rows.csv", TASKS), {"text": "body"}, r"text: unknown key; it is one of \[data\]$"),
        (("rows.csv", TASKS), {"epochs": 3}, r"epochs: unknown .* \[teacher\], \[student\]$"),
        (("rows.csv", TASKS), {"teacher": {"steps": 2.5}}, r"steps: 2.5; give a whole number$"),
        (("rows.csv", {"topic": "sole"}), {}, "topic kind: 'sole'; give 'single' or 'multi'$"),
        (("rows.csv", {}), {}, r"task: \[\]; give a list of at least one$"),
        (([], TASKS), {}, r"\[data\] files: \[\]; give a list of at least one$"),
        (({"group": "g"}, TASKS), {}, r"\[data\] files: missing; give a list"),
        ((polars.LazyFrame(COLUMNS), TASKS), {}, "a LazyFrame; give a DataFrame of pandas or po"),
        (([None], TASKS), {}, "a NoneType; give a DataFrame of pandas or polars, the path of a ta"),
        ((pandas.DataFrame([[1, 2]], columns=["a", "a"]), TASKS), {}, "two columns a; rename one$"),
    ],
)
def test_a_wrong_call_is_refused_like_a_wrong_recipe(
    arguments: tuple[Any, Any], sections: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=rf"^train\(\): .*{message}"):
        train(*arguments, tmp_path / "mine", **sections)


def test_torch_waits_for_the_call() -> None:
    code = "import sys; from training import train; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_the_documented_call_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes as far as its first stage, which would take minutes."""
    page = "docs/train.md"
    (block,) = (text for place, text in fenced("py") if place == page)
    rows = ["text,topic,p,customer"] + [f"ticket {letter},x,y|z,{letter}" for letter in "abcdefgh"]
    (tmp_path / "tickets.csv").write_text("\n".join(rows))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match=r"holds thesis\.txt besides a bundle"):
        exec(compile(block, page, "exec"), {})
