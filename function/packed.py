"""Imports what a start needs from one file, instead of looking for each module in every folder.

    install(folder)      # before anything else is imported; without a pack it does nothing

`python -m function.bytecode` writes the file. A module whose source was changed since is imported
as always, and so is every module that is not in it. (This one is imported the ordinary way, so it
goes without `from __future__`, which is a module to look for.)
"""

import _frozen_importlib
import _frozen_importlib_external
import _imp
import _thread
import marshal
import mmap
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

FOLDER = ".bytecode"
LAZY = frozenset({"calendar", "getopt", "ipaddress", "ntpath", "selectors", "traceback"})
"""Modules that Python's library and waitress import and that no answer needs. They are executed
when something of theirs is first asked for, and with them what they import."""
HASH_BYTES = LENGTH_BYTES = 8
SEALED = bytes(HASH_BYTES)
"""In place of the hash of the rest: nobody writes to the file, so it is mapped and not hashed."""


class LazyModule(type(sys)):  # type: ignore[misc]  # ModuleType, without the import of types
    """A module whose code runs when an attribute of it is first asked for."""

    def __getattr__(self, name: str) -> "Any":
        if name.startswith("__"):  # the import system looks for some that a module need not have
            raise AttributeError(name)
        with _executing:
            if type(self) is LazyModule:
                loader = self.__spec__.loader
                self.__class__ = type(sys)  # type: ignore[assignment]
                loader.execute(self)
        return getattr(self, name)


_executing = _thread.RLock()


class PackedFinder:
    """An entry of `sys.meta_path`, and the loader of its modules.

    `modules` has for each module: its file, size and time of that file, whether it is a package,
    and where in the pack its code begins and ends (nothing for an extension, which is a file).
    """

    def __init__(self, modules: "dict[str, Any]", code: memoryview, sealed: bool) -> None:
        self._modules = modules
        self._code = code
        self._sealed = sealed

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """The spec of a packed module; None leaves it to the ordinary finders."""
        entry = self._modules.get(name)
        if entry is None:
            return None
        file, size, time_s, is_package, begin, end = entry
        if not self._sealed:
            try:
                status = os.stat(file)  # noqa: PTH116 (pathlib is not imported yet)
            except OSError:
                return None
            if (status.st_size, int(status.st_mtime)) != (size, time_s):
                return None
        loader: Any = self
        if begin == end:
            loader = _frozen_importlib_external.ExtensionFileLoader(name, file)
        spec = _frozen_importlib.ModuleSpec(name, loader, origin=file, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = [file.rpartition("/")[0]]
        spec.has_location = True
        return spec

    def create_module(self, spec: "Any") -> "ModuleType | None":
        """One that waits, or as the import system makes it."""
        return LazyModule(spec.name) if spec.name in LAZY else None

    def exec_module(self, module: "ModuleType") -> None:
        if not isinstance(module, LazyModule):
            self.execute(module)

    def execute(self, module: "ModuleType") -> None:
        """Run the code of a module."""
        *_, begin, end = self._modules[module.__name__]
        exec(marshal.loads(self._code[begin:end]), module.__dict__)


def pack_file(folder: str) -> str:
    """Where the pack of this Python is."""
    return f"{folder}/{FOLDER}/{sys.implementation.cache_tag}.pack"


def install(folder: str) -> None:
    """Import from the pack under `folder`, if there is a whole one that this Python wrote."""
    try:
        with open(pack_file(folder), "rb", 0) as file:  # noqa: PTH123
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        noted, data = bytes(data[:HASH_BYTES]), data[HASH_BYTES:]
        is_sealed = noted == SEALED
        if not is_sealed:  # somebody may write to the file, now or later
            data = memoryview(bytes(data))
            if content_hash(data) != noted:
                return
        length = int.from_bytes(data[:LENGTH_BYTES], "big")
        header = marshal.loads(data[LENGTH_BYTES : LENGTH_BYTES + length])
    except (OSError, ValueError, EOFError, TypeError):  # there is none, or it is cut off
        return
    if header["made_for"] == made_for(folder):
        code = data[LENGTH_BYTES + length :]
        sys.meta_path.insert(0, PackedFinder(header["modules"], code, is_sealed))


def content_hash(content: "bytes | memoryview") -> bytes:
    """The hash that Python's own bytecode files have of their source, of a pack's content."""
    return _imp.source_hash(LENGTH_BYTES, content)


def made_for(folder: str) -> list[str]:
    """A pack is good for the very Python and the very place."""
    return [sys.version, sys.executable, folder]
