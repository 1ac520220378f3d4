"""Settings come from a mapping, and a wrong one says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from function.settings import SHIPPED_BUNDLE, Settings, SettingsError

KEYS = (
    *("BUNDLE", "HOST", "PORT", "MAX_BYTES", "MAX_TEXTS", "MAX_CHARS", "ORT_THREADS"),
    "GOOGLE_CLOUD_PROJECT",
)
VERTEX = ("AIP_HTTP_PORT", "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE")


def test_defaults() -> None:
    settings = Settings.from_mapping({})
    assert settings == Settings(SHIPPED_BUNDLE, "127.0.0.1", 8080, 1048576, 256, 10000, 1, None)
    assert SHIPPED_BUNDLE.parts[-2:] == ("model", "ingredients")


def test_all_set() -> None:
    values = ("/b", "::1", "81", "1", "2", "3", "4", "project")
    settings = Settings.from_mapping(dict(zip(KEYS, values, strict=True)))
    assert settings == Settings(Path("/b"), "::1", 81, 1, 2, 3, 4, "project")


def test_empty_is_not_set() -> None:
    assert Settings.from_mapping(dict.fromkeys(KEYS, "")) == Settings()


@pytest.mark.parametrize("key", ["PORT", "MAX_BYTES", "MAX_TEXTS", "MAX_CHARS", "ORT_THREADS"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", " 1", "1_0", "٣", "9" * 5000])
def test_a_wrong_number_names_key_value_and_expectation(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{key}='{value}': expected a whole number from 1"):
        Settings.from_mapping({key: value})


def test_the_host_is_this_machine_except_on_cloud_run() -> None:
    assert Settings.from_mapping({"K_SERVICE": "polyhead"}).host == "0.0.0.0"
    assert Settings.from_mapping({"K_SERVICE": "polyhead", "HOST": "10.0.0.1"}).host == "10.0.0.1"


def test_a_port_ends_at_65535() -> None:
    assert Settings.from_mapping({"PORT": "65535"}).port == 65535
    with pytest.raises(SettingsError, match=r"^PORT='65536': expected .* to 65535$"):
        Settings.from_mapping({"PORT": "65536"})


def test_every_setting_is_documented() -> None:
    for key in (*KEYS, *VERTEX, "PAGE", "PROFILE_SAMPLE", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        assert f"| {key} |" in str(Settings.__doc__)


def test_profiling() -> None:
    mapping = {
        "PROFILE_SAMPLE": "0.25",
        "K_REVISION": "r3",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
    }
    settings = Settings.from_mapping(mapping)
    assert (settings.profile_sample, settings.revision, settings.otlp) == (0.25, "r3", True)
    assert Settings.from_mapping({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}).otlp
    assert not Settings.from_mapping({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}).otlp


@pytest.mark.parametrize("value", ["1.1", "-0.1", "nan", "inf", "half", "10%"])
def test_a_wrong_share(value: str) -> None:
    with pytest.raises(SettingsError, match=f"^PROFILE_SAMPLE='{value}': expected a number from 0"):
        Settings.from_mapping({"PROFILE_SAMPLE": value})


def test_the_page_is_on_or_off() -> None:
    pages = [Settings.from_mapping({"PAGE": value}).page for value in ("", "on", "off")]
    assert pages == [True, True, False]
    with pytest.raises(SettingsError, match=r"^PAGE='no': expected on or off$"):
        Settings.from_mapping({"PAGE": "no"})


def test_what_vertex_sets_goes_before_what_the_image_sets() -> None:
    mapping = {"PORT": "8080", **dict(zip(VERTEX, ("9000", "/alive", "/predict"), strict=True))}
    settings = Settings.from_mapping(mapping)
    assert (settings.port, settings.host) == (9000, "0.0.0.0")
    assert (settings.health_route, settings.predict_route) == ("/alive", "/predict")
    assert Settings.from_mapping({**mapping, "HOST": "::1"}).host == "::1"
    assert Settings.from_mapping(dict.fromkeys(VERTEX, "")) == Settings()


@pytest.mark.parametrize("key", ["AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"])
def test_a_path_begins_with_a_slash(key: str) -> None:
    with pytest.raises(SettingsError, match=f"^{key}='predict': expected a path that begins with"):
        Settings.from_mapping({key: "predict"})


def test_a_wrong_port_of_vertex_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^AIP_HTTP_PORT='lots': expected a whole number"):
        Settings.from_mapping({"PORT": "8080", "AIP_HTTP_PORT": "lots"})
