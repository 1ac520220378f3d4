"""The cold path imports what is on the list, and the report says what it costs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from profiling.bench import imports
from profiling.bench.imports import ImportedModule as Module


@pytest.fixture(scope="module")
def modules(bundle_path: Path) -> list[Module]:
    return imports.cold_path(sys.executable, bundle_path)


def test_the_deployed_process_imports_only_what_is_allowed(modules: list[Module]) -> None:
    surplus = sorted(imports.allowable(modules) - imports.allowed())
    assert surplus == [], "mean it? then: python -m profiling imports --write"


def test_the_report_sees_master_and_worker_and_the_first_request(
    modules: list[Module],
) -> None:
    names = {module.name for module in modules}
    assert {"functions_framework", "flask", "gunicorn.arbiter", "onnxruntime"} <= names
    assert {"tokenizers", "function.http.handler", "gunicorn.workers.gthread"} <= names


def test_nothing_of_training_and_no_loop_of_asyncio_is_imported(
    modules: list[Module],
) -> None:
    packages = {module.name.partition(".")[0] for module in modules}
    assert packages & {"torch", "transformers", "grpc", "training", "asyncio"} == set()


def test_a_new_module_is_not_allowed() -> None:
    modules = [
        Module("pandas.core", 5),
        Module("_json", 1),
        Module("json.decoder", 2),
    ]
    assert imports.allowable(modules) == {"pandas.core", "json"}
    assert "pandas.core" not in imports.allowed()


def test_the_table_adds_up() -> None:
    table = imports.table([Module("a.b", 1500), Module("a", 500), Module("c", 250)], top=1)
    assert "| a | 2 | 2.0 |" in table
    assert "| 1 others | 1 | 0.2 |" in table
    assert "| **all** | 3 | 2.2 |" in table
