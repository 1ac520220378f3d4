"""`python -m training`: every command says what it is for, and how it ends."""

from __future__ import annotations

import argparse
import fcntl
from pathlib import Path

import pytest

import training.rows.table
import training.run
from training.__main__ import _parser, main
from training.recipe import Recipe, read_recipe
from training.rows.table import Table, read_table
from training.stages import STAGE_NAMES

COMMANDS = {"check", "run", *STAGE_NAMES, "search", "sweep", "twins", "compare"}
FROZEN = Path(__file__).parents[1] / "frozen" / "recipe.toml"


def subcommands() -> dict[str, argparse.ArgumentParser]:
    (action,) = (a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert {choice.dest for choice in action._choices_actions if choice.help} == COMMANDS
    return dict(action.choices)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_has_help(name: str) -> None:
    command = subcommands()[name]
    assert command.description
    for action in command._actions:
        assert action.help, f"{name} {action.dest}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "r.toml", "--out", "o", "--trials", "0"], "0; give a whole number, 1 or more"),
        (["sweep", "r.toml", "--out", "o", "--max-mb", "nan"], "nan; give a number above 0"),
        (["run", "r.toml"], "the following arguments are required: --out"),
    ],
)
def test_a_wrong_option_says_what_to_give(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_what_cannot_be_run_is_told_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / "none.toml")]) == 2
    assert "none.toml: No such file or directory; give the path of a" in capsys.readouterr().err


def test_a_directory_in_use_is_told_with_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.work").mkdir()
    with (tmp_path / "out.work" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["vocabulary", str(FROZEN), "--out", str(tmp_path / "out")]) == 1
    assert "out.work: another run is using it; wait for it or stop it" in capsys.readouterr().err


def test_a_run_reads_its_table_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes: list[Recipe] = []

    def counted(recipe: Recipe) -> Table:
        recipes.append(recipe)
        return read_table(recipe)

    for module in (training.run, training.rows.table):
        monkeypatch.setattr(module, "read_table", counted)
    assert main(["vocabulary", str(FROZEN), "--out", str(tmp_path / "out")]) == 0
    assert recipes == [read_recipe(FROZEN)]


def test_a_stage_runs_again_when_its_code_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["vocabulary", str(FROZEN), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "vocabulary: done in" in capsys.readouterr().out
    assert main(command) == 0
    assert "vocabulary: finished before, kept" in capsys.readouterr().out
    finished = tmp_path / "out.work" / "vocabulary" / "finished.json"
    text = finished.read_text()
    digest = text.split('"training/fit/vocabulary.py": "')[1][:64]
    finished.write_text(text.replace(digest, "0" * 64))
    assert main(command) == 0
    reason = "vocabulary: runs again: code changed: training/fit/vocabulary.py\n"
    assert reason in capsys.readouterr().out
