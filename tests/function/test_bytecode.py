"""The pack of a start's bytecode: used, checked against its files, and never needed."""

from __future__ import annotations

import json
import marshal
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from function.bytecode import packed_modules, write_pack
from function.packed import HASH_BYTES, LENGTH_BYTES, PackedFinder, install, pack_file
from profiling.reliability.installation import install as install_copy
from profiling.reliability.installation import run
from profiling.server import FROM_IMAGE

WHERE = """
import json, model.softmax, function.http.contract, waitress.parser, _ctypes
modules = (model.softmax, function.http.contract, waitress.parser, _ctypes)
print(json.dumps([(type(each.__spec__.loader).__name__, each.__file__) for each in modules]))
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, bundle_path: Path) -> Path:
    """A copy of what is served, with its pack."""
    folder = install_copy(tmp_path_factory.mktemp("packed"), bundle_path)
    done = run(folder, "-m", "function.bytecode")
    assert done.returncode == 0, done.stderr
    return folder


def ask_packed(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code as a start would, with the pack installed."""
    start = f"import sys; sys.path += {sys.path!r}; sys.path.insert(0, {str(folder)!r})\n"
    start += f"from function.packed import install; install({str(folder)!r})\n"
    return run(folder, "-I", "-S", "-c", start + code)


def loaders(folder: Path) -> list[list[str]]:
    done = ask_packed(folder, WHERE)
    assert done.returncode == 0, done.stderr
    parsed: list[list[str]] = json.loads(done.stdout)
    return parsed


def test_it_holds_all_that_a_start_imports(packed: Path) -> None:
    log = run(
        packed, *FROM_IMAGE[:2], "-X", "importtime", "function/start.py", "--help"
    ).stderr  # fmt: skip
    assert "function.process" in log
    with Path(pack_file(str(packed))).open("rb") as file:
        file.seek(HASH_BYTES)
        length = int.from_bytes(file.read(LENGTH_BYTES), "big")
        modules = marshal.loads(file.read(length))["modules"]
    assert {"function.http.image_server", "model.classifier", "waitress.server", "json"} <= set(
        modules
    )
    assert not {"numpy", "onnxruntime", "functions_framework", "dataclasses", "typing"} & set(
        modules
    )


def test_modules_come_from_the_pack_and_know_their_files(packed: Path) -> None:
    (softmax, contract, parser, extension) = loaders(packed)
    assert softmax == ["PackedFinder", str(packed / "model" / "softmax.py")]
    assert contract == ["PackedFinder", str(packed / "function" / "http" / "contract.py")]
    assert parser[0] == "PackedFinder"
    assert Path(parser[1]).is_file()
    assert extension[0] in ("ExtensionFileLoader", "BuiltinImporter")


def test_a_source_that_was_changed_is_imported_instead(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "packed"
    shutil.copytree(packed, folder)
    assert loaders(folder)[0][0] == "SourceFileLoader", "made for another place"
    source = packed / "model" / "softmax.py"
    before = source.read_text()
    try:
        source.write_text(before + "\nCHANGED = True\n")
        softmax, contract, *_ = loaders(packed)
    finally:
        source.write_text(before)
    assert (softmax[0], contract[0]) == ("SourceFileLoader", "PackedFinder")


def test_a_traceback_shows_file_and_line(packed: Path) -> None:
    code = "from function.settings import Settings\nSettings.from_mapping({'PORT': 'eighty'})"
    error = ask_packed(packed, code).stderr
    assert f'File "{packed}/function/settings.py", line ' in error
    assert 'raise SettingsError(f"{key}={value!r}' in error


def test_a_pack_of_another_python_or_none_changes_nothing(tmp_path: Path) -> None:
    before = list(sys.meta_path)
    install(str(tmp_path))
    target = Path(pack_file(str(tmp_path)))
    write_pack(target, packed_modules(["json"]), seal=False)  # made for the project's folder
    install(str(tmp_path))
    assert sys.meta_path == before


@pytest.mark.parametrize("size", [0, 5, 4000])
def test_a_pack_that_is_cut_off_is_not_needed(packed: Path, tmp_path: Path, size: int) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(packed, folder)
    pack = Path(pack_file(str(folder)))
    pack.write_bytes(pack.read_bytes()[:size])
    assert loaders(folder)[0][0] == "SourceFileLoader"


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_pack_that_was_altered_is_not_needed(packed: Path, place: float) -> None:
    pack = Path(pack_file(str(packed)))
    content = bytearray(before := pack.read_bytes())
    content[int(place * len(content))] ^= 1
    pack.write_bytes(content)
    try:
        assert loaders(packed)[0][0] == "SourceFileLoader"
    finally:
        pack.write_bytes(before)


def test_a_sealed_pack_looks_at_no_file() -> None:
    modules = packed_modules(["json.decoder"])
    ((entry, code),) = modules.values()
    gone = ["/nowhere/decoder.py", *entry[1:]]
    packed = {"json.decoder": (*gone, 0, len(code))}
    assert PackedFinder(packed, memoryview(code), sealed=False).find_spec("json.decoder") is None
    spec = PackedFinder(packed, memoryview(code), sealed=True).find_spec("json.decoder")
    assert spec.origin == "/nowhere/decoder.py"


def test_a_function_that_does_not_start_makes_no_pack(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(packed, folder)
    done = run(folder, "-m", "function.bytecode", MAX_TEXTS="lots")
    assert done.returncode == 1
    assert "error: the function does not start; try: python -m function.start" in done.stderr
    assert not Path(pack_file(str(folder))).exists()
