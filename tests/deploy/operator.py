"""Which commands does docs/deploy.md tell an operator to type? Its shell blocks, as written."""

from __future__ import annotations

from tests.docs_text import fenced

BLOCKS = [block for _, block in fenced("sh")]
VARIABLES = """
PROJECT=my-project REGION=europe-west1 ME=user:me@example.com
RUN=polyhead-run@$PROJECT.iam.gserviceaccount.com
BUILD=polyhead-build@$PROJECT.iam.gserviceaccount.com
SMOKE=polyhead-smoke@$PROJECT.iam.gserviceaccount.com
BEAM=polyhead-beam@$PROJECT.iam.gserviceaccount.com
IMAGE=$REGION-docker.pkg.dev/$PROJECT/polyhead/beam:1
FOLDER=gs://$PROJECT-polyhead/bundles/mine
"""
"""What blocks of docs/deploy.md and docs/beam.md set, for the lines after it."""


def lines(start: str) -> list[str]:
    """The documented command lines that begin with `start`; there is at least one."""
    matching = [line for block in BLOCKS for line in block.splitlines() if line.startswith(start)]
    assert matching, f"the docs have no line that starts with {start!r}"
    return matching


def block(holding: str) -> str:
    """The one shell block that holds these words."""
    (matching,) = [block for block in BLOCKS if holding in block]
    return matching
