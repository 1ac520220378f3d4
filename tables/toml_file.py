"""A TOML file read into a frozen dataclass; a fault names its key, its value and what to give.

prices = read_toml(Prices, Path("prices.toml"))
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from tables.frames import plain_value
from tables.remote_table import TableLocation, table_location

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
    "dict_type": "a table, {{name = value}}",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
}
"""What to give instead, by pydantic's type of error and with its figures."""

T = TypeVar("T")


def _located(text: Any) -> TableLocation:
    if not isinstance(text, str):
        raise PydanticCustomError("string_type", "a string")
    return table_location(text)


TableFile = Annotated[TableLocation, PlainValidator(_located)]
"""The path or the address of a table, as text in the file."""


class TomlError(ValueError):
    """The document cannot be used; the message names it and, a line each, its faults."""


class Section:
    """How each section is validated: no unknown keys, no value taken for one of another type."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def read_toml(
    declaration: type[T],
    path: Path,
    hints: Mapping[str, str] | None = None,
) -> T:
    """A TOML file as a dataclass of Sections; raises TomlError.

    `hints` says by key what to give where it is missing, or why there is no such key any more.
    """
    return validated(declaration, toml_document(path), str(path), hints)


def toml_document(path: Path) -> dict[str, Any]:
    """What a TOML file holds; raises TomlError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TomlError(f"{path}: {error.strerror}; give the path of a .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TomlError(f"{path}: not valid TOML: {error}") from None


def validated(
    declaration: type[T],
    document: dict[str, Any],
    source: str,
    hints: Mapping[str, str] | None = None,
) -> T:
    """A document, read from TOML or made in Python, as a dataclass of Sections; raises TomlError.

    Messages call it `source`; `hints` as for `read_toml`.
    """
    try:
        # As JSON, where strict validation takes a list for a tuple and a table for a dataclass.
        document_json = json.dumps(document, default=plain_value)
        return TypeAdapter(declaration).validate_json(document_json)
    except ValidationError as error:
        faults = _faults(error, document, declaration, hints or {})
        raise TomlError("\n  ".join([f"{source}: {next(faults)}", *faults])) from None


def _faults(
    error: ValidationError, document: dict[str, Any], declaration: type, hints: Mapping[str, str]
) -> Iterator[str]:
    """A line for each fault."""
    for fault in error.errors():
        if fault["type"] == "too_short" and fault["input"]:
            continue  # its entries are at fault, and have a line each
        key = str(fault["loc"][-1])
        match fault["type"]:
            case "unexpected_keyword_argument":
                problem = hints.get(key) or _unknown(fault["loc"], declaration)
            case "missing":
                problem = f"missing; give {hints.get(key, 'a value')}"
            case "dataclass_type" if "files" in fault["loc"]:
                problem = f'{fault["input"]!r}; give "path" or {{path = "...", ...}}'
            case _:
                problem = f"{fault['input']!r}; give {_expected(fault)}"
        yield f"{_place(fault['loc'], document)}: {problem}"


def _expected(fault: ErrorDetails) -> str:
    return EXPECTED.get(fault["type"], fault["msg"]).format(**fault.get("ctx", {}))


def _unknown(loc: tuple[int | str, ...], declaration: type) -> str:
    """What the last key of `loc` may have been meant to be."""
    *path, key = (part for part in loc if isinstance(part, str))
    schema = section = TypeAdapter(declaration).json_schema()
    for name in path:
        section = _subsection(name, section, schema)
    known = list(section["properties"])
    if near := difflib.get_close_matches(key, known, n=1):
        return f"unknown key; did you mean {near[0]!r}?"
    elsewhere = [
        f"[[{name}]]" if value.get("type") == "array" else f"[{name}]"
        for name, value in schema["properties"].items()
        if key in _subsection(name, schema, schema)["properties"]
    ]
    if elsewhere:
        return f"unknown key; it is one of {', '.join(elsewhere)}"
    return f"unknown key; known: {', '.join(known)}"


def _subsection(name: str, section: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The section that a key holds; one without keys where it holds a value."""
    reference = re.search(r"#/\$defs/(\w+)", json.dumps(section["properties"][name]))
    subsection: dict[str, Any] = schema["$defs"][reference[1]] if reference else {"properties": {}}
    return subsection


def _place(loc: tuple[int | str, ...], document: dict[str, Any]) -> str:
    """`[section] key`, or `[[section]] name key` of an array of tables; of lists the key alone."""
    section, *keys = loc
    if keys and isinstance(entries := document.get(str(section)), list):
        number = int(keys[0])
        entry = entries[number] if isinstance(entries[number], dict) else {}
        section = f"[[{section}]] {entry.get('name', entry.get('fact')) or number + 1}"
    elif keys:
        section = f"[{section}]"
    return " ".join([str(section), *(key for key in keys if isinstance(key, str))])
