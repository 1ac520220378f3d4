"""The requirements of a deployment: what the .in files name, and the locks with all hashes."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from tests.docs_text import ROOT

SOURCE_LOCK = ROOT / "requirements.txt"
"""What a deployment from source and `make serve` install."""
IMAGE_LOCK = ROOT / "function" / "requirements.txt"


@dataclass(frozen=True)
class Locked:
    """One entry of a lock."""

    name: str
    version: str
    hashes: frozenset[str]
    text: str


def read_lock(path: Path) -> dict[str, Locked]:
    """Entries by name; fails on a line that is no `name==version` with its hashes."""
    entries = {}
    lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    for line in (line for line in lines if line.strip() and not line.lstrip().startswith("#")):
        requirement, *options = line.split(" --")
        match = re.fullmatch(r"([a-z0-9-]+)==([^\s;]+)\s*(?:;.*)?", requirement.strip())
        assert match, f"{path.name}: {requirement}"
        hashes = [option.strip().removeprefix("hash=sha256:") for option in options]
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes), match[1]
        entries[match[1]] = Locked(match[1], match[2], frozenset(hashes), line)
    return entries


def named(path: Path) -> dict[str, str]:
    """{name: version, or "" for none} of a file without hashes."""
    text = path.read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9-]+)(?:==([^\s;]+))?", text, re.MULTILINE))


def repacked(name: str, folder: Path) -> Path:
    """A wheel of an installed package's metadata alone: its name and version, another hash."""
    package = distribution(name)
    files = {
        str(file): file.read_binary()
        for file in package.files or ()
        if ".dist-info/" in str(file) and file.name not in ("RECORD", "WHEEL", "INSTALLER")
    }
    (metadata,) = (file for file in files if file.endswith("/METADATA"))
    info = metadata.removesuffix("METADATA")
    files[f"{info}WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{file},{record_hash(content)},{len(content)}" for file, content in files.items()]
    wheel = folder / f"{name}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
        archive.writestr(f"{info}RECORD", "\n".join([*record, f"{info}RECORD,,\n"]))
    return wheel


def record_hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"
