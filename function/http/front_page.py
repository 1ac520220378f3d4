"""The page that a browser is shown at /: one file, which asks nobody but this service."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from function.http.compression import WEIGHT

FOLDER = Path(__file__).with_name("front")
HTML, JSON = "text/html", "application/json"
VARY = "Accept, Accept-Encoding"
POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser lets the page do: run its own script and style, and ask this service."""


@cache
def front_page() -> str:
    """The HTML, with style and script in it."""
    page = (FOLDER / "front.html").read_text(encoding="utf-8")
    return page.replace("/* style */", _part("front.css")).replace(
        "/* script */", _part("front.js")
    )


@cache
def page_headers() -> dict[str, str]:
    """Headers of an answer that is the page."""
    policy = POLICY.format(script=_source("front.js"), style=_source("front.css"))
    return {
        "Content-Type": f"{HTML}; charset=utf-8",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
        "Vary": VARY,
    }


def _part(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _source(name: str) -> str:
    """A part by its hash, as a policy names what may be inline."""
    digest = hashlib.sha256(_part(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def prefers_html(accept: str) -> bool:
    """Whether a value of Accept would rather have HTML than JSON, as those of browsers do."""
    return _weight(accept, HTML) > _weight(accept, JSON)


def _weight(accept: str, media_type: str) -> float:
    """By the most specific range that has the type, as RFC 9110 has it; 0: not accepted."""
    weights: dict[str, float] = {}
    for element in accept.lower().split(","):
        media_range, *parameters = element.split(";")
        weight = 1.0
        for parameter in parameters:
            if match := re.fullmatch(WEIGHT, parameter):
                weight = float(match[1])
        weights[media_range.strip()] = weight
    for media_range in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0
