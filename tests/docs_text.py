"""The README and the pages of docs/, and what stands in their code blocks."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = PAGES["README.md"]
ALL = "\n".join(PAGES.values())


def fenced(language: str) -> list[tuple[str, str]]:
    """(page, text) of every code block of a language."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [(page, block) for page, text in PAGES.items() for block in pattern.findall(text)]


def commands() -> list[tuple[str, str]]:
    """(page, line) of every command in a code block: indented, of a shell or behind a prompt."""
    found = []
    for page, text in PAGES.items():
        lines = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
        lines += re.findall(r"^\$ (.*)$", text, re.MULTILINE)
        lines += re.findall(r"`((?:make|python3?) [^`]+)`", text)
        found += [(page, line.partition("   #")[0].strip()) for line in lines]
    for page, block in fenced("sh"):
        found += [(page, line) for line in block.splitlines() if line]
    return found


def shown(command: str, page: str) -> str:
    """What a page prints under the one command that starts with `command`."""
    (output,) = re.findall(
        rf"^\$ {re.escape(command)}[^\n]*\n(.*?)(?=^```|^\$ )",
        PAGES[page],
        re.DOTALL | re.MULTILINE,
    )
    return str(output).strip()
