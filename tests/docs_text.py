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
PROGRAMS = ("make", "python", "python3", "curl", "gcloud")


def fenced(language: str) -> list[tuple[str, str]]:
    """(page, text) of every code block of a language."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [(page, block) for page, text in PAGES.items() for block in pattern.findall(text)]


def prose(text: str) -> str:
    """A page without its fenced code blocks and comments."""
    return re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    """(page, line) of every command: indented, in a line of prose, of a shell, behind a prompt.

    An indented block is one of commands when it begins with a program; others are drawings.
    """
    documented = []
    for page, text in PAGES.items():
        lines = []
        for block in re.findall(r"(?<=\n\n)(?: {4}\S.*\n)+", prose(text)):
            if block.split()[0] in PROGRAMS:
                lines += block.splitlines()
        lines += re.findall(r"`((?:make|python3?) [^`]+)`", prose(text))
        lines += [
            line.removeprefix("$ ")
            for _, block in fenced("console")
            if block in text
            for line in block.splitlines()
            if line.startswith("$ ")
        ]
        lines += [line for _, block in fenced("sh") if block in text for line in block.splitlines()]
        words = (" ".join(line.partition("   #")[0].split()) for line in lines)
        documented += [(page, line) for line in words if line]
    return documented


def table_rows(page: str, head: str) -> list[list[str]]:
    """Cells of the one table that starts with `head`; an empty first cell has the one above it."""
    rows: list[list[str]] = []
    (text,) = re.findall(rf"^{re.escape(head)}.*\n\|-.*\n((?:\|.*\n)+)", PAGES[page], re.MULTILINE)
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]
        rows.append([cells[0] or (rows[-1][0] if rows else ""), *cells[1:]])
    return rows


def each_default(names: list[str], default: str) -> list[tuple[str, str]]:
    """(name, default) for the names of a cell: a default for each, or one that all share."""
    defaults = default.split(", ") if len(names) > 1 and ", " in default else [default] * len(names)
    return list(zip(names, defaults, strict=True))


def shown(command: str, page: str) -> str:
    """What a page prints under the one command that starts with `command`."""
    (output,) = re.findall(
        rf"^\$ {re.escape(command)}[^\n]*\n(.*?)(?=^```|^\$ )",
        PAGES[page],
        re.DOTALL | re.MULTILINE,
    )
    return str(output).strip()
