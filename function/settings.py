"""Settings, read once from a mapping such as `os.environ`."""

from __future__ import annotations

from pathlib import Path

from model.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED_BUNDLE = Path(__file__).resolve().parent.parent / "model" / "ingredients"

LOOPBACK, ALL_INTERFACES = "127.0.0.1", "0.0.0.0"
LARGEST_PORT = 2**16 - 1
LARGEST_NUMBER = 10**12 - 1
OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class SettingsError(ValueError):
    """A setting cannot be used; the message names its key, its value and what was expected."""


class Settings(Values):
    """What an operator may set in the environment. An empty value counts as not set.

    | key | default | meaning |
    |---|---|---|
    | BUNDLE | model/ingredients | directory of the bundle to serve |
    | HOST | 127.0.0.1; 0.0.0.0 where K_SERVICE is set | address to listen on |
    | PORT | 8080 | port to listen on |
    | MAX_BYTES | 1048576 | largest request body, in bytes |
    | MAX_TEXTS | 256 | most texts in one request |
    | MAX_CHARS | 10000 | longest text, in characters |
    | ORT_THREADS | 1 | threads that share one run of the graph |
    | GOOGLE_CLOUD_PROJECT | not set | project of the log's traces; without it none are named |
    | PAGE | on | `off`: browsers get no page at / but the JSON that programs get |
    | LOG_ANSWERS | on | `off`: log lines do not count which labels were given, nor their scores |
    | PROFILE_SAMPLE | 1 | share of warm requests that record every span, 0 to 1 |
    | OTEL_EXPORTER_OTLP_ENDPOINT | not set | collector that spans are sent to as well |
    | AIP_HTTP_PORT | not set | Vertex AI's in place of PORT; the address is then 0.0.0.0 |
    | AIP_HEALTH_ROUTE | not set | another path of GET /ready, where Vertex AI asks |
    | AIP_PREDICT_ROUTE | not set | another path of POST /vertex, where Vertex AI asks |

    HOST and PORT count for `python -m function.start`; functions-framework has its own `--host`
    and PORT. `THREADS` is not among them: functions-framework reads that one as gunicorn's thread
    count. Cloud Run sets PORT, K_SERVICE and K_REVISION.
    """

    def __init__(
        self,
        bundle: Path = SHIPPED_BUNDLE,
        host: str = LOOPBACK,
        port: int = 8080,
        max_bytes: int = 2**20,
        max_texts: int = 256,
        max_chars: int = 10_000,
        threads: int = 1,
        project: str | None = None,
        profile_sample: float = 1.0,
        revision: str | None = None,
        otlp: bool = False,
        health_route: str | None = None,
        predict_route: str | None = None,
        page: bool = True,
        log_answers: bool = True,
    ) -> None:
        self.bundle = bundle
        self.host = host
        self.port = port
        self.max_bytes = max_bytes
        self.max_texts = max_texts
        self.max_chars = max_chars
        self.threads = threads
        self.project = project
        self.profile_sample = profile_sample
        self.revision = revision
        """K_REVISION."""
        self.otlp = otlp
        """An OTLP endpoint is set; opentelemetry reads it, and what else it takes, by itself."""
        self.health_route = health_route
        self.predict_route = predict_route
        """Paths of Vertex AI."""
        self.page = page
        """Whether a browser that asks for / is shown a page."""
        self.log_answers = log_answers
        """Whether log lines count answers: the line of one text tells its label."""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str]) -> Settings:
        """Read the settings; raises SettingsError."""
        default = cls()
        is_remote = mapping.get("K_SERVICE") or mapping.get("AIP_HTTP_PORT")
        default_host = ALL_INTERFACES if is_remote else default.host
        port_key = "AIP_HTTP_PORT" if mapping.get("AIP_HTTP_PORT") else "PORT"
        return cls(
            bundle=Path(mapping.get("BUNDLE") or default.bundle),
            host=mapping.get("HOST") or default_host,
            port=_positive(mapping, port_key, default.port, LARGEST_PORT),
            max_bytes=_positive(mapping, "MAX_BYTES", default.max_bytes),
            max_texts=_positive(mapping, "MAX_TEXTS", default.max_texts),
            max_chars=_positive(mapping, "MAX_CHARS", default.max_chars),
            threads=_positive(mapping, "ORT_THREADS", default.threads),
            project=mapping.get("GOOGLE_CLOUD_PROJECT") or None,
            profile_sample=_share(mapping, "PROFILE_SAMPLE", default.profile_sample),
            revision=mapping.get("K_REVISION") or None,
            otlp=any(mapping.get(key) for key in OTLP_ENDPOINTS),
            health_route=_path(mapping, "AIP_HEALTH_ROUTE"),
            predict_route=_path(mapping, "AIP_PREDICT_ROUTE"),
            page=_switch(mapping, "PAGE", default.page),
            log_answers=_switch(mapping, "LOG_ANSWERS", default.log_answers),
        )


def _positive(
    mapping: Mapping[str, str], key: str, default: int, maximum: int = LARGEST_NUMBER
) -> int:
    value = mapping.get(key) or str(default)
    # isdecimal() takes the digits of every script, int() underscores and blanks: ASCII digits only.
    is_number = value.isascii() and value.isdecimal() and len(value) <= len(str(LARGEST_NUMBER))
    if not (is_number and 1 <= int(value) <= maximum):
        raise SettingsError(f"{key}={value!r}: expected a whole number from 1 to {maximum}")
    return int(value)


def _share(mapping: Mapping[str, str], key: str, default: float) -> float:
    value = mapping.get(key) or str(default)
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise SettingsError(f"{key}={value!r}: expected a number from 0 to 1, such as 0.1")
    return share


def _switch(mapping: Mapping[str, str], key: str, default: bool) -> bool:
    value = mapping.get(key) or ("on" if default else "off")
    if value not in ("on", "off"):
        raise SettingsError(f"{key}={value!r}: expected on or off")
    return value == "on"


def _path(mapping: Mapping[str, str], key: str) -> str | None:
    value = mapping.get(key) or None
    if value is not None and not value.startswith("/"):
        raise SettingsError(f"{key}={value!r}: expected a path that begins with /")
    return value
