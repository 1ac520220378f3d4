"""Tables as text: Markdown for reports and documents, aligned columns for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

Cells = Sequence[str]


def markdown(header: Cells, rows: Sequence[Cells], numbers_from: int | None = None) -> str:
    """A Markdown table; columns from `numbers_from` on are flush right. Cells may hold anything."""
    right = len(header) if numbers_from is None else numbers_from
    rule = ["---" if place < right else "---:" for place in range(len(header))]
    lines = [header, rule, *rows]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def aligned(rows: Sequence[Cells]) -> list[str]:
    """Lines of a table, its first row the header; columns of numbers are flush right."""
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(map(_is_number, column[1:])) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if is_number_column else cell.ljust(width)
            for cell, width, is_number_column in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in rows
    ]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def _is_number(cell: str) -> bool:
    return cell in ("", "-") or cell.lstrip("~+-").replace(".", "", 1).isdecimal()
