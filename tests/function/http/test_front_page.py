"""GET / is a page to a browser and JSON to a program."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from function.http.front_page import FOLDER, front_page, prefers_html
from tests.serving import Server, serving

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
HTML = "text/html; charset=utf-8"
TEXT_CONTRAST, PART_CONTRAST = 4.5, 3.0
"""WCAG 2.2 AA: 1.4.3 for text, 1.4.11 for the borders of controls and for graphics."""


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CHROME, True),
        ("text/html", True),
        ("TEXT/HTML;q=0.9, application/json;q=0.8", True),
        ("text/*", True),
        ("", False),
        ("*/*", False),  # curl
        ("application/json", False),
        ("application/json, text/html", False),
        ("text/html;q=0.5, application/json;q=0.8", False),
        ("text/html;q=0, */*", False),
        ("text/html;q=0.5, */*", False),
        ("application/json;q=nonsense,;;,", False),
    ],
)
def test_html_is_for_those_who_prefer_it(accept: str, expected: bool) -> None:
    assert prefers_html(accept) is expected


def test_a_browser_gets_a_page_and_a_program_json(server: Server) -> None:
    plain = server.request("GET", "/")
    assert plain.json["service"] == "polyhead"
    assert plain.headers["Content-Type"] == "application/json"
    page = server.request("GET", "/", headers={"Accept": CHROME})
    assert (page.status, page.headers["Content-Type"]) == (200, HTML)
    assert page.body.decode() == front_page()
    assert page.headers["Vary"] == plain.headers["Vary"] == "Accept, Accept-Encoding"
    assert server.last_line()["profile"]["route"] == "GET /"
    head = server.request("HEAD", "/", headers={"Accept": CHROME})
    assert (head.status, head.body, head.headers["Content-Type"]) == (200, b"", HTML)


def test_the_page_may_be_off(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log", "image", PAGE="off") as server:
        answer = server.request("GET", "/", headers={"Accept": CHROME})
        assert answer.json["service"] == "polyhead"
        assert answer.headers["Vary"] == "Accept-Encoding"


def test_the_policy_allows_the_pages_own_script_and_style_alone(server: Server) -> None:
    page = server.request("GET", "/", headers={"Accept": "text/html"})
    directives = dict(
        directive.split(" ", 1) for directive in page.headers["Content-Security-Policy"].split("; ")
    )
    assert directives["default-src"] == "'none'"
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.body.decode(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives[f"{tag}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_the_page_needs_no_other_address() -> None:
    assert re.findall(r"https?://|//\w+\.\w+|@import|url\(", front_page()) == []


def test_nothing_becomes_html_on_the_page() -> None:
    """Sinks that would parse what a user or a bundle says."""
    script = (FOLDER / "front.js").read_text(encoding="utf-8")
    assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", script) == []


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return sum(
        weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_enough_in_light_and_dark() -> None:
    style = (FOLDER / "front.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    )
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for ground in ("paper", "card"):
            for text in ("ink", "muted", "for", "against"):
                assert contrast(colours[text], colours[ground]) >= TEXT_CONTRAST, (text, ground)
            for part in ("border", "bar"):
                assert contrast(colours[part], colours[ground]) >= PART_CONTRAST, (part, ground)
        assert contrast(colours["ink"], colours["problem"]) >= TEXT_CONTRAST
        assert contrast(colours["bar"], colours["track"]) >= PART_CONTRAST
