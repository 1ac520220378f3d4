"""Inputs by mutation: real ones, cut, repeated, joined and mixed with odd tokens; from a seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from zlib import crc32

LONGEST = 20_000
"""Bytes of an input."""
REPEATED = 6000
"""Most copies of a slice: past 4,300 digits Python refuses to read a number."""
TOKEN = re.compile(rb'"[^"]*"|[\w.+]+|[^\w\s]')
"""A string, word, number or sign."""


@dataclass(frozen=True)
class Target:
    """Code under test: inputs to start from, tokens to mix in, and what must hold of any input."""

    name: str
    code: str
    """What is tested, for the record."""
    seeds: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    check: Callable[[bytes], str]
    """Raises AssertionError, or whatever the code under test must not raise; else the outcome."""
    token: re.Pattern[bytes] = TOKEN
    """What a mutation replaces whole."""
    replacing: int = 3
    """How often it does, beside one of each other kind."""


def inputs(target: Target, count: int, seed: int) -> Iterator[bytes]:
    """`count` inputs, the target's own first; the same for the same seed."""
    random = Random(f"{target.name} {seed}")
    mutations = MUTATIONS + (_replace,) * target.replacing
    for number in range(count):
        if number < len(target.seeds):
            yield target.seeds[number]
            continue
        data = random.choice(target.seeds)
        for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
            data = random.choice(mutations)(data, random, target)
        yield data[:LONGEST]


def pieces(data: bytes) -> list[bytes]:
    """`data` cut in up to six places, always the same ones; no piece is empty."""
    random = Random(crc32(data))
    cuts = sorted(random.sample(range(1, len(data)), min(random.randint(1, 6), len(data) - 1)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _slice(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((1, 1, 2, 4, 8, 32, 200)))


def _delete(data: bytes, random: Random, _: Target) -> bytes:
    start, end = _slice(data, random)
    return data[:start] + data[end:]


def _repeat(data: bytes, random: Random, _: Target) -> bytes:
    start, end = _slice(data, random)
    return data[:end] + data[start:end] * random.choice((1, 1, 2, 9, 100, REPEATED)) + data[end:]


def _overwrite(data: bytes, random: Random, _: Target) -> bytes:
    start, end = _slice(data, random)
    return data[:start] + random.randbytes(end - start) + data[end:]


def _insert(data: bytes, random: Random, target: Target) -> bytes:
    start = random.randint(0, len(data))
    return data[:start] + random.choice(target.tokens) + data[start:]


def _replace(data: bytes, random: Random, target: Target) -> bytes:
    matches = list(target.token.finditer(data[:LONGEST]))
    if not matches:
        return random.choice(target.tokens)
    match = random.choice(matches)
    return data[: match.start()] + random.choice(target.tokens) + data[match.end() :]


def _join(data: bytes, random: Random, target: Target) -> bytes:
    other = random.choice(target.seeds)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _cut_short(data: bytes, random: Random, _: Target) -> bytes:
    return data[: random.randint(0, len(data))]


MUTATIONS = (_delete, _repeat, _overwrite, _insert, _join, _cut_short)
