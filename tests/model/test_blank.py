"""Is there anything to see in a text?"""

from __future__ import annotations

import pytest

from model.encoding import is_blank


@pytest.mark.parametrize(
    "text", ["", " \t\n\u2003", "\u200b\u200d\ufeff", "\x00\x1f", "\u3164\u2800", "\ufe0f", "\xad"]
)
def test_nothing_visible_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize(
    "text",
    ["a", "\u200ba", "é", "\u2764\ufe0f", "\u0301", "\ud800", "\ue000", "\u0378", "\U0001fae8"],
)
def test_what_may_be_visible_is_not(text: str) -> None:
    """Among them private use, half a pair and characters of Unicodes after this Python's."""
    assert not is_blank(text)
