"""The argument parsers of the three packages, and whether they take a command line.

    python -m tests.docs_parsers < LINES.json

reads {"lines": [...], "modules": [...]}; a line is the list of what follows `python -m`, a module
one that parses arguments. It writes what `main` returns.
A process of its own: the modules change theirs, and no command may run.
"""

from __future__ import annotations

import argparse
import io
import json
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

Options = dict[str, Any]
PACKAGES = ("function", "profiling", "training")
_parse_args = argparse.ArgumentParser.parse_args


class Reached(BaseException):
    """A command was about to run: `parser` took all of its arguments, or was to take them."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


def main(lines: list[list[str]], modules: list[str]) -> dict[str, Any]:
    """`commands`: {package or module: {command: {option: default}}}, a module's command is "";
    `refused`: why, by line; null if its parser takes it.
    """
    return {
        "commands": {package: commands_of(package) for package in PACKAGES}
        | {module: {"": options_of(reach([module, "--help"], parse=False))} for module in modules},
        "refused": [refusal(line) for line in lines],
    }


def commands_of(package: str) -> dict[str, Options]:
    """{command: {option: default}} of a package, whose parser has subparsers or leads to others."""
    parser = reach([package, "--help"], parse=False)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return {name: options_of(command) for name, command in action.choices.items()}
    (names,) = (action.choices for action in parser._actions if action.choices)
    return {name: options_of(reach([package, name, "--help"], parse=False)) for name in names or ()}


def options_of(parser: argparse.ArgumentParser) -> Options:
    return {
        option: action.default if isinstance(action.default, int | float | str | list) else None
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


def refusal(line: list[str]) -> str | None:
    """Why the command's own parser refuses a line; None if it takes it."""
    errors = io.StringIO()
    try:
        with redirect_stderr(errors):
            reach(line)
    except SystemExit:
        return errors.getvalue().strip().rpartition("\n")[2]
    except ImportError as error:
        return str(error)
    return None


def reach(line: list[str], parse: bool = True) -> argparse.ArgumentParser:
    """The parser of the command that `line` names. With `parse` it has parsed its arguments."""

    def parse_args(parser: argparse.ArgumentParser, *arguments: Any) -> argparse.Namespace:
        leads_on = any(action.nargs == argparse.REMAINDER for action in parser._actions)
        if leads_on and (parse or len(line) > 2):  # to the parser of a command
            namespace: argparse.Namespace = _parse_args(parser, *arguments)
            return namespace
        if parse:
            _parse_args(parser, *arguments)
        raise Reached(parser)

    argparse.ArgumentParser.parse_args = parse_args  # type: ignore[assignment, method-assign]
    sys.argv = list(line)
    try:
        runpy.run_module(line[0], run_name="__main__", alter_sys=True)
    except Reached as reached:
        return reached.parser
    finally:
        argparse.ArgumentParser.parse_args = _parse_args  # type: ignore[method-assign]
    raise SystemExit(f"{line}: ended without parsing")


if __name__ == "__main__":
    arguments = json.load(sys.stdin)
    with redirect_stdout(sys.stderr):
        result = main(**arguments)
    json.dump(result, sys.stdout)
