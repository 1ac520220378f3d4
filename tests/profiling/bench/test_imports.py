"""The cold path imports what is on the list, and the report says what it costs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from profiling.bench import imports


@pytest.fixture(scope="module")
def modules(bundle_path: Path) -> dict[str, int]:
    return imports.cold_path(sys.executable, bundle_path)


def test_the_deployed_process_imports_only_what_is_allowed(modules: dict[str, int]) -> None:
    surplus = sorted(imports.allowable(modules) - imports.allowed())
    assert surplus == [], "mean it? then: python -m profiling imports --write"


def test_the_report_sees_the_start_and_the_first_request(modules: dict[str, int]) -> None:
    assert {"function.process", "model.onnxruntime_library", "waitress.server"} <= modules.keys()
    assert {"function.http.contract", "model.softmax"} <= modules.keys()


def test_nothing_of_training_and_no_loop_of_asyncio_is_imported(modules: dict[str, int]) -> None:
    packages = {name.partition(".")[0] for name in modules}
    assert packages & {"torch", "transformers", "grpc", "training", "asyncio"} == set()


def test_a_new_module_is_not_allowed() -> None:
    assert imports.allowable(["pandas.core", "_json", "json.decoder"]) == {"pandas.core", "json"}
    assert "pandas.core" not in imports.allowed()


def test_the_table_adds_up() -> None:
    table = imports.table({"a.b": 1500, "a": 500, "c": 250}, top=1)
    assert "| a | 2 | 2.0 |" in table
    assert "| 1 others | 1 | 0.2 |" in table
    assert "| **all** | 3 | 2.2 |" in table
