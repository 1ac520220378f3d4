"""Files that are altered, cut off, removed, replaced or mended while the function serves them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from function.http import loading
from function.http.loading import LazyClassifier
from model.bundle import HASHED, MANIFEST, BundleError
from profiling.reliability.installation import install, run, start_command
from tests.serving import Server, StrictServer, serving

QUESTIONS = ({"inputs": "raw honey"}, {"inputs": ["raw honey", "butter knife"] * 20})


def alter(file: Path) -> None:
    with file.open("r+b") as opened:
        # In the middle of the manifest are metrics: a digit more or less is another bundle.
        opened.seek(0 if file.name == MANIFEST else file.stat().st_size // 2)
        byte = opened.read(1)
        opened.seek(-1, 1)
        opened.write(bytes([byte[0] ^ 1]))


def cut(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 3)


def empty(file: Path) -> None:
    file.write_bytes(b"")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "altered": alter,
    "cut off": cut,
    "emptied": empty,
    "removed": Path.unlink,
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, bundle_path: Path) -> Path:
    """The code, a bundle, its optimized copy and the pack; nothing is sealed."""
    folder = install(tmp_path_factory.mktemp("installed"), bundle_path)
    for module in ("function.graph", "function.bytecode"):
        run(folder, "-m", module).check_returncode()
    return folder


def all_files(folder: Path) -> list[Path]:
    """What is loaded, and one module that is imported late."""
    made = [*folder.glob("bundle/*"), *folder.glob(".graphs/*/*"), *folder.glob(".bytecode/*")]
    return [*made, folder / "function" / "http" / "compression.py"]


def predictions(server: StrictServer) -> list[Any]:
    return [server.ask(question).json["predictions"] for question in QUESTIONS]


@pytest.mark.slow
def test_nothing_that_happens_to_files_changes_an_answer(installed: Path, tmp_path: Path) -> None:
    files = {file: file.read_bytes() for file in all_files(installed)}
    command = start_command(installed)
    with serving(installed / "bundle", tmp_path / "log", command=command) as server:
        before = predictions(server)
        for damage in DAMAGES.values():
            for file, content in files.items():
                damage(file)
                assert predictions(server) == before, file
                file.write_bytes(content)
        assert server.process.poll() is None


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_start_over_a_damaged_copy_and_pack_answers_with_the_bundles_own_graph(
    installed: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    (graph,) = installed.glob(".graphs/*/model.ort")
    (pack,) = installed.glob(".bytecode/*")
    files = {file: file.read_bytes() for file in (graph, pack)}
    for file in files:
        damage(file)
    log = tmp_path / "log"
    try:
        with serving(installed / "bundle", log, command=start_command(installed)) as server:
            answer = server.ask(QUESTIONS[0])
            line = Server.lines(server)[-1]
    finally:
        for file, content in files.items():
            file.write_bytes(content)
    assert answer.json["predictions"][0]["source"][0]["label"] == "animal_product"
    assert line["profile"]["graph"] == "bundle"
    assert "model.ort" in log.read_text()


@pytest.fixture
def bundle(bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle that may be damaged, looked at with every request."""
    monkeypatch.setattr(loading, "LOOK_S", 0.0)
    return Path(shutil.copytree(bundle_path, tmp_path / "bundle"))


@pytest.mark.parametrize("name", [MANIFEST, *HASHED])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named_once_and_a_mended_bundle_loads_without_a_restart(
    bundle: Path, name: str, damage: Callable[[Path], None]
) -> None:
    content = (bundle / name).read_bytes()
    serving_one, late_one = (LazyClassifier(bundle, 1) for _ in range(2))
    before = serving_one.get().predict(["raw honey"])
    assert serving_one.changed_files() is None
    damage(bundle / name)
    change = serving_one.changed_files()
    assert change is not None
    severity, message = change
    assert (severity, name in message) == ("ERROR", True)
    assert "which was loaded before, goes on answering" in message
    assert serving_one.changed_files() is None
    assert serving_one.get().predict(["raw honey"]) == before
    with pytest.raises(BundleError, match=name):
        late_one.get()
    (bundle / name).write_bytes(content)
    assert serving_one.changed_files() is None
    assert late_one.get().predict(["raw honey"]) == before


def test_another_bundle_in_its_place_is_named_and_not_served(bundle: Path) -> None:
    lazy = LazyClassifier(bundle, 1)
    identity = lazy.get().bundle.identity
    manifest = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps(manifest | {"name": "other"}))
    change = lazy.changed_files()
    assert change is not None
    assert change[0] == "WARNING"
    assert "holds other@" in change[1]
    assert f"{identity}, which was loaded before, goes on answering until a restart" in change[1]
    assert lazy.get().bundle.identity == identity
