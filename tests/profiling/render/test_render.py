"""Plots take their colours from the page, and pages escape what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from profiling.render.charts import Bar, waterfall
from profiling.render.page import DASH, FOLDER, count, figure_number, milliseconds, render
from profiling.render.plot import COLOURS, beside, drawing

CSS = (FOLDER / "page.css").read_text("utf-8")
HOSTILE = '<script>"$x^2$"</script>'


def test_the_pages_light_colours_are_those_that_plots_are_drawn_in() -> None:
    light, dark = CSS.split("@media", 1)
    assert dict(re.findall(r"--(\w+): (#\w+);", light)).items() >= COLOURS.items()
    in_dark = set(re.findall(r"--(\w+): #\w+;", dark.partition("* {")[0]))
    assert in_dark >= set(COLOURS)


def test_every_colour_of_a_plot_follows_the_page() -> None:
    with drawing("test", HOSTILE) as drawn:
        for place, colour in enumerate(COLOURS.values()):
            drawn.axes.plot([0, 1], [place, place], "o-", color=colour)
        beside(drawn.axes, 1, 1, HOSTILE)
    assert drawn.svg.startswith('<svg role="img" aria-label="&lt;script&gt;&#34;')
    assert "<script>" not in drawn.svg
    for name, colour in COLOURS.items():
        assert f"var(--{name}, {colour})" in drawn.svg
    other = re.findall(r"#[0-9a-f]{6}\b", re.sub(r"var\([^)]*\)", "", drawn.svg))
    assert other == []


def test_ids_of_two_plots_on_a_page_differ() -> None:
    svgs = [waterfall(name, name, [Bar("run", 0.0, 2.0)]) for name in ("a", "b")]
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in svgs]
    assert ids[0]
    assert ids[0] & ids[1] == set()


def test_a_waterfall_leaves_out_what_is_too_short_to_see_and_pales_what_holds_others() -> None:
    bars = [Bar("load_it", 0.0, 100.0, True), Bar("session", 10.0, 80.0), Bar("blink", 1.0, 0.1)]
    svg = waterfall("cold", "a cold start", bars)
    assert "load it" in svg
    assert "session" in svg
    assert "blink" not in svg
    assert svg.count("opacity: 0.3") == 1


def test_a_page_escapes_its_content_and_misses_no_name(tmp_path: Path) -> None:
    template = tmp_path / "test.html"
    template.write_text(
        '{% extends "base.html" %}{% from "parts.html" import table %}'
        "{% block title %}{{ title }}{% endblock %}"
        "{% block content %}{{ table([['a'], [title], ['https://x.y']]) }}{% endblock %}"
    )
    page = render(template, title=HOSTILE)
    assert page.count("&lt;script&gt;") == 2
    assert "<script>" not in page
    assert '<a href="https://x.y">link</a>' in page
    assert CSS.strip() in page
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        render(template)


def test_figures_are_short() -> None:
    assert [figure_number(value) for value in (None, 3.0, 0.123, 12.34, 1234.5)] == [
        DASH, "3", "0.12", "12.3", "1,234",
    ]  # fmt: skip
    assert [milliseconds(value) for value in (None, 2.5, 1500.0)] == [DASH, "2.50 ms", "1.50 s"]
    assert [count(value) for value in (12, 1500, 2e6, 3.21e9)] == [
        "12", "1.5 thousand", "2 million", "3.21 billion",
    ]  # fmt: skip
