"""Text from bytes: UTF-8 with or without a mark, UTF-16 by its mark. Anything else is named."""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from typing import IO

from tables.row import TableError

HEAD_BYTES = 2**16
"""What is looked at to tell the encoding and the delimiter."""
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MANY_NULS = 0.2
"""Share of NUL bytes that no UTF-8 text has; half of an English UTF-16 text is."""
MANY_HIGH = 0.35
"""Share of bytes above 127 among a line's letters, from which its script is not Latin."""
EAST_ASIAN = {
    "shift_jis": (0.5, ("HIRAGANA", "KATAKANA")),
    "euc_jp": (0.5, ("HIRAGANA", "KATAKANA")),
    "euc_kr": (0.9, ("HANGUL",)),
    "gb18030": (0.5, ("CJK UNIFIED",)),
}
"""Encodings by the share of their characters that is called so; the first that fits is likely."""


def open_text(binary: IO[bytes], newline: str) -> tuple[io.TextIOWrapper, str]:
    """A seekable file as text, and its encoding; `newline` is of io.TextIOWrapper.

    In UTF-8, bytes that are none arrive as lone surrogates, to be reported row by row. Raises
    TableError for UTF-32 and for UTF-16 without a mark.
    """
    head = binary.read(HEAD_BYTES)
    binary.seek(0)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise TableError("line 1 is not UTF-8 (likely UTF-32); save the file as UTF-8")
    if head.startswith(UTF_16_MARKS):
        return io.TextIOWrapper(binary, "utf-16", "surrogatepass", newline=newline), "UTF-16"
    if head.count(0) > MANY_NULS * len(head):
        likely = "likely UTF-16 without a byte order mark"
        raise TableError(f"line 1 is not UTF-8 ({likely}); save the file as UTF-8")
    return io.TextIOWrapper(binary, "utf-8-sig", "surrogateescape", newline=newline), "UTF-8"


def is_utf8(text: str) -> bool:
    """Whether a text was UTF-8: other bytes arrive as lone surrogates."""
    return text.isascii() or not any("\udc80" <= char <= "\udcff" for char in text)


def encoding_problem(text: str) -> str:
    """What to say of a row whose text is not UTF-8."""
    likely = likely_encoding(text.encode("utf-8", "surrogateescape"))
    return f"not UTF-8 (likely {likely}); save the file as UTF-8"


def likely_encoding(line: bytes) -> str:
    """The encoding that a line, which is not UTF-8, most likely has; a guess for a message."""
    high = sum(byte > 127 for byte in line)
    letters = high + len(re.findall(rb"[A-Za-z]", line))
    if high < MANY_HIGH * letters or not re.search(rb"[\x80-\xff]{3}", line):
        return "windows-1252"
    for encoding, (share, names) in EAST_ASIAN.items():
        if _share_named(line, encoding, names) > share:
            return encoding
    is_cyrillic = _share_named(line, "windows-1251", ("CYRILLIC SMALL",)) > 0.5
    return "windows-1251" if is_cyrillic else "windows-1252"


def _share_named(line: bytes, encoding: str, names: tuple[str, ...]) -> float:
    """Of the characters beyond ASCII, the share with such names; 0 if the line is not decoded."""
    try:
        characters = [char for char in line.decode(encoding) if not char.isascii()]
    except UnicodeDecodeError:
        return 0.0
    named = sum(unicodedata.name(char, "").startswith(names) for char in characters)
    return named / max(1, len(characters))
