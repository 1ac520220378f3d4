"""What is wrong with a recipe, in the words of the file: [section] key: value; what to give."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a string",
    "string_too_short": "a string that is not empty",
    "string_pattern_mismatch": "letters, digits, '-', '_' and '.' only",
    "tuple_type": "a list",
    "too_short": "a list of at least one",
    "dataclass_type": "a table",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
}
"""What to give instead, by pydantic's type of error and with its figures."""
REQUIRED = {
    "data": "a [data] section with files = [...]",
    "task": "at least one [[task]] with name and kind",
    "files": "a list of at least one file",
    "name": "a string that is not empty",
    "kind": "'single' or 'multi'",
    "path": 'path = "..."',
}
REMOVED = {
    "sparsity": "this key is gone, since zeros made no bundle smaller or faster "
    "(training/LOG.md); remove the line"
}


def describe_faults(
    error: ValidationError, document: dict[str, Any], recipe: type
) -> Iterator[str]:
    """A line for each fault that `error` found in `document`, read as the dataclass `recipe`."""
    for fault in error.errors():
        if fault["type"] == "too_short" and fault["input"]:
            continue  # its entries are at fault, and have a line each
        key = fault["loc"][-1]
        match fault["type"]:
            case "unexpected_keyword_argument":
                problem = REMOVED.get(str(key)) or _unknown(str(key), _known(fault["loc"], recipe))
            case "missing":
                problem = f"missing; give {REQUIRED[str(key)]}"
            case "dataclass_type" if "files" in fault["loc"]:
                problem = f'{fault["input"]!r}; give "path" or {{path = "...", ...}}'
            case _:
                problem = f"{fault['input']!r}; give {_expected(fault)}"
        yield f"{_place(fault['loc'], document)}: {problem}"


def _expected(fault: ErrorDetails) -> str:
    return EXPECTED.get(fault["type"], fault["msg"]).format(**fault.get("ctx", {}))


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"unknown key; {f'did you mean {near[0]!r}?' if near else 'known: ' + ', '.join(known)}"


def _known(loc: tuple[int | str, ...], recipe: type) -> list[str]:
    """The keys of the section in which the last key of `loc` stands."""
    schema = TypeAdapter(recipe).json_schema()
    section = schema
    for key in loc[:-1]:
        if isinstance(key, str):
            reference = re.search(r"#/\$defs/(\w+)", json.dumps(section["properties"][key]))
            assert reference is not None, "every table of a recipe is a dataclass"
            section = schema["$defs"][reference[1]]
    return list(section["properties"])


def _place(loc: tuple[int | str, ...], document: dict[str, Any]) -> str:
    """`[section] key`, or `[[task]] name key`; of lists the key alone."""
    section, *keys = loc
    if section == "task" and keys:
        number = int(keys[0])
        task = document["task"][number]
        name = task.get("name") if isinstance(task, dict) else None
        section = f"[[task]] {name or number + 1}"
    elif keys:
        section = f"[{section}]"
    return " ".join([str(section), *(key for key in keys if isinstance(key, str))])
