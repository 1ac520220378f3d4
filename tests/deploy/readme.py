"""Which commands does the README tell an operator to type? Its shell blocks, as written."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
VARIABLES = """
PROJECT=my-project REGION=europe-west1 ME=user:me@example.com
RUN=polyhead-run@$PROJECT.iam.gserviceaccount.com
BUILD=polyhead-build@$PROJECT.iam.gserviceaccount.com
SMOKE=polyhead-smoke@$PROJECT.iam.gserviceaccount.com
"""
"""What the first block sets, for those after it."""


def lines(start: str) -> list[str]:
    """The README's command lines that begin with `start`; there is at least one."""
    found = [line for block in BLOCKS for line in block.splitlines() if line.startswith(start)]
    assert found, f"the README has no line that starts with {start!r}"
    return found


def block(holding: str) -> str:
    """The one shell block that holds these words."""
    (found,) = [block for block in BLOCKS if holding in block]
    return found
