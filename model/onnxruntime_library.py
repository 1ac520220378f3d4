"""A session on onnxruntime's C library, without its Python binding and without numpy.

`libonnxruntime.so` lies beside the binding in the wheel. OrtApi, its table of functions, only ever
grows, so a function keeps its index in every later version
(https://onnxruntime.ai/docs/api/c/struct_ort_api.html, in the order of onnxruntime_c_api.h).
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from array import array
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from model.encoding import GraphInputs
    from model.session import GraphOptions

API_VERSION = 17
"""Every function used here is older, and every later library has this version, too."""
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "CreateEnv": (3, c_int, c_char_p, c_void_p),
    "CreateSession": (7, c_void_p, c_char_p, c_void_p, c_void_p),
    "CreateSessionFromArray": (8, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p),
    "Run": (9, *(c_void_p,) * 4, c_size_t, c_void_p, c_size_t, c_void_p),
    "CreateSessionOptions": (10, c_void_p),
    "SetOptimizedModelFilePath": (11, c_void_p, c_char_p),
    "DisableCpuMemArena": (19, c_void_p),
    "SetSessionLogSeverityLevel": (22, c_void_p, c_int),
    "SetSessionGraphOptimizationLevel": (23, c_void_p, c_int),
    "SetIntraOpNumThreads": (24, c_void_p, c_int),
    "SetInterOpNumThreads": (25, c_void_p, c_int),
    "SessionGetOutputTypeInfo": (34, c_void_p, c_size_t, c_void_p),
    "CreateTensorWithDataAsOrtValue": (
        49, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, c_void_p,
    ),
    "SessionGetOutputName": (37, c_void_p, c_size_t, c_void_p, c_void_p),
    "CastTypeInfoToTensorInfo": (55, c_void_p, c_void_p),
    "GetDimensionsCount": (61, c_void_p, c_void_p),
    "GetDimensions": (62, c_void_p, c_void_p, c_size_t),
    "CreateCpuMemoryInfo": (69, c_int, c_int, c_void_p),
    "AllocatorFree": (76, c_void_p, c_void_p),
    "GetAllocatorWithDefaultOptions": (78, c_void_p),
    "AddSessionConfigEntry": (130, c_void_p, c_char_p, c_char_p),
}  # fmt: skip
"""Index in OrtApi and the types of the arguments; each returns a status, null for success."""
RELEASES = {"Session": 95, "Value": 96, "TypeInfo": 98, "SessionOptions": 100}
GET_ERROR_MESSAGE, RELEASE_STATUS = 2, 93
LOG_ERRORS = 3
FLOAT, INT64 = 1, 7
"""ONNXTensorElementDataType."""
ARENA_ALLOCATOR, DEFAULT_MEMORY = 1, 0
INPUTS = (b"input_ids", b"attention_mask")
POINTER_BYTES = ctypes.sizeof(c_void_p)


class GraphError(RuntimeError):
    """What the library says went wrong."""


class Library:
    """The functions of the library, and its one environment, made by `prepare`."""

    def __init__(self, file: str) -> None:
        """Open the library; raises OSError."""
        get_api_base = ctypes.CDLL(file).OrtGetApiBase
        get_api_base.restype = POINTER(c_void_p)
        get_api, get_version = get_api_base()[:2]
        version: bytes = CFUNCTYPE(c_char_p)(get_version)()
        self.version = version.decode()
        api = CFUNCTYPE(POINTER(c_void_p), ctypes.c_uint32)(get_api)(API_VERSION)
        self._message = CFUNCTYPE(c_char_p, c_void_p)(api[GET_ERROR_MESSAGE])
        release = CFUNCTYPE(None, c_void_p)
        self._release_status = release(api[RELEASE_STATUS])
        self.release = {name: release(api[index]) for name, index in RELEASES.items()}
        self._functions = {
            name: CFUNCTYPE(c_void_p, *declared[1:])(api[declared[0]])
            for name, declared in FUNCTIONS.items()
        }
        self.environment, self.memory = c_void_p(), c_void_p()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the environment, once; it takes as long as to open a graph."""
        with self._lock:
            if not self.environment:
                memory = byref(self.memory)
                self.call("CreateEnv", LOG_ERRORS, b"polyhead", byref(self.environment))
                self.call("CreateCpuMemoryInfo", ARENA_ALLOCATOR, DEFAULT_MEMORY, memory)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of FUNCTIONS; raises GraphError with the library's own message."""
        status = self._functions[name](*arguments)
        if status:
            message = self._message(status)
            self._release_status(status)
            raise GraphError(message.decode(errors="replace"))


_lock = threading.Lock()
_libraries: dict[str, Library] = {}


def library() -> Library | None:
    """The library of the installed package, opened once; None where there is none to open."""
    file = library_file()
    if file is None:
        return None
    with _lock:
        if file not in _libraries:
            try:
                _libraries[file] = Library(file)
            except OSError:  # built for another system
                return None
        return _libraries[file]


def library_file() -> str | None:
    """The library beside the binding, wherever the package is installed."""
    for folder in sys.path:
        package = os.path.join(folder, "onnxruntime", "capi")  # noqa: PTH118 (Path costs a start)
        if os.path.isdir(package):  # noqa: PTH112
            for name in os.listdir(package):  # noqa: PTH208
                if name.startswith("libonnxruntime.so"):
                    return os.path.join(package, name)  # noqa: PTH118
            return None
    return None


class LibrarySession:
    """One open graph. Threads may share it."""

    def __init__(self, opened: Library, file: Path, options: GraphOptions) -> None:
        """Open `file`; raises GraphError."""
        self.file = file
        self._library = opened
        opened.prepare()
        self._session = c_void_p()
        self._bytes = None if options.source == "file" else _bytes(file, options.source)
        with_options = _options(opened, options)
        environment, session = opened.environment, byref(self._session)
        try:
            if self._bytes is None:
                path = os.fsencode(file)
                opened.call("CreateSession", environment, path, with_options, session)
            else:
                start, size = ctypes.addressof(self._bytes), len(self._bytes)
                opened.call(
                    "CreateSessionFromArray", environment, start, size, with_options, session
                )
        finally:
            opened.release["SessionOptions"](with_options)
        self.width = self._last_output_dimension()
        self._input_names = (c_char_p * 2)(*INPUTS)
        self._output_names = (c_char_p * 1)(self._output_name())

    def run(self, inputs: GraphInputs) -> array[float]:
        """float32 logits, [rows, width] in one flat array; raises GraphError."""
        rows, tokens = inputs.rows, inputs.tokens
        logits = array("f", bytes(4 * rows * self.width))
        values = (c_void_p * 3)()
        try:
            self._tensor(values, 0, inputs.input_ids, INT64, rows, tokens)
            self._tensor(values, 1, inputs.attention_mask, INT64, rows, tokens)
            self._tensor(values, 2, logits, FLOAT, rows, self.width)
            self._library.call(
                "Run", self._session, None, self._input_names, values, 2,
                self._output_names, 1, byref(values, 2 * POINTER_BYTES),
            )  # fmt: skip
        finally:
            for value in values:
                if value:
                    self._library.release["Value"](value)
        return logits

    def _tensor(
        self, values: Any, place: int, numbers: array[Any], kind: int, rows: int, columns: int
    ) -> None:
        """Make values[place] a tensor [rows, columns] over the memory of `numbers`."""
        address, length = numbers.buffer_info()
        self._library.call(
            "CreateTensorWithDataAsOrtValue", self._library.memory, address,
            length * numbers.itemsize, (c_int64 * 2)(rows, columns), 2, kind,
            byref(values, place * POINTER_BYTES),
        )  # fmt: skip

    def _output_name(self) -> bytes:
        call, allocator, name = self._library.call, c_void_p(), c_char_p()
        call("GetAllocatorWithDefaultOptions", byref(allocator))
        call("SessionGetOutputName", self._session, 0, allocator, byref(name))
        copied = name.value or b""
        call("AllocatorFree", allocator, name)
        return copied

    def _last_output_dimension(self) -> int:
        """Columns of the first output; -1 where the graph leaves them open."""
        call, kind, tensor, count = self._library.call, c_void_p(), c_void_p(), c_size_t()
        call("SessionGetOutputTypeInfo", self._session, 0, byref(kind))
        try:
            call("CastTypeInfoToTensorInfo", kind, byref(tensor))
            call("GetDimensionsCount", tensor, byref(count))
            dimensions = (c_int64 * count.value)()
            call("GetDimensions", tensor, dimensions, count)
            return dimensions[-1]
        finally:
            self._library.release["TypeInfo"](kind)

    def __del__(self) -> None:
        if self._session:
            self._library.release["Session"](self._session)


def _bytes(file: Path, source: str) -> Any:
    """The bytes of a file, mapped or read into memory of their own."""
    # ctypes takes an address of writable memory only; a private mapping leaves the file alone.
    access = mmap.PROT_READ | mmap.PROT_WRITE
    with file.open("rb", buffering=0) as opened:
        if source == "mapped":
            memory = mmap.mmap(opened.fileno(), 0, mmap.MAP_PRIVATE, access)
        else:
            memory = mmap.mmap(-1, os.fstat(opened.fileno()).st_size, mmap.MAP_PRIVATE, access)
            opened.readinto(memory)
    return (ctypes.c_char * len(memory)).from_buffer(memory)


def _options(opened: Library, options: GraphOptions) -> c_void_p:
    """OrtSessionOptions, to be released by the caller."""
    pointer = c_void_p()
    opened.call("CreateSessionOptions", byref(pointer))
    opened.call("SetIntraOpNumThreads", pointer, options.threads)
    opened.call("SetInterOpNumThreads", pointer, 1)
    opened.call("DisableCpuMemArena", pointer)
    opened.call("SetSessionLogSeverityLevel", pointer, LOG_ERRORS)
    opened.call("SetSessionGraphOptimizationLevel", pointer, options.optimization)
    if options.save_to is not None:
        opened.call("SetOptimizedModelFilePath", pointer, os.fsencode(options.save_to))
    for key, value in options.entries.items():
        opened.call("AddSessionConfigEntry", pointer, key.encode(), value.encode())
    return pointer
