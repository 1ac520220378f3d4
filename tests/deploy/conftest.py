"""The stand-in of Google Cloud, a gcloud that talks to it, and real functions behind it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.gcloud import GCLOUD, Shell, connected, offline
from tests.deploy.operator import VARIABLES, block, lines
from tests.deploy.pipeline import Pipeline, unpack_source
from tests.deploy.standin.builds import Builds
from tests.deploy.standin.proxy import Cloud, Request, listening
from tests.deploy.standin.run import Run, Service
from tests.deploy.standin.running import Running
from tests.deploy.standin.storage import Storage
from tests.deploy.standin.tokens import Tokens
from tests.deploy.standin.usage import refuse_usage
from tests.serving import ROOT, Server, serving


@dataclass(frozen=True)
class StandIn:
    """The services, and a shell whose commands reach them."""

    cloud: Cloud
    run: Run
    running: Running
    tokens: Tokens
    storage: Storage
    builds: Builds
    shell: Shell

    @property
    def service(self) -> Service:
        return self.run.services["polyhead"]

    def typed(self, text: str) -> None:
        """Run documented lines, as they are, after the variables that its first block sets."""
        done = self.shell.run("bash", "-euc", VARIABLES + text)
        assert done.returncode == 0, done.stderr

    def submit(self, folder: Path, options: str = "", config: str = "cloudbuild.yaml") -> Pipeline:
        """Submit as the docs do, from this repository; `folder` becomes the workspace."""
        (line, *_) = lines(f"gcloud builds submit --config={config}")
        self.typed(f"cd {ROOT}; {line} --async {options}")
        build = self.builds.submitted[-1]
        unpack_source(build, self.storage, folder)
        return Pipeline(build, Shell(folder, self.shell.environment))

    def restore(self, state: State) -> None:
        """Go back to what was kept, so that each test begins where the fixture ended."""
        self.cloud.requests[:] = state.requests
        self.run.services = deepcopy(state.services)
        self.run.history.clear()
        self.run.changed = lambda service: None

    def keep(self) -> State:
        return State(list(self.cloud.requests), deepcopy(self.run.services))


@dataclass(frozen=True)
class State:
    """What commands so far have sent and left behind."""

    requests: list[Request]
    services: dict[str, Service]


@pytest.fixture(scope="session")
def gcloud_offline(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    _require_gcloud()
    folder = tmp_path_factory.mktemp("offline")
    return Shell(folder, offline(folder))


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    _require_gcloud()
    cloud, folder = Cloud(), tmp_path_factory.mktemp("operator")
    refuse_usage(cloud)
    run, tokens = Run(cloud), Tokens(cloud)
    running, storage, builds = Running(cloud, run, tokens), Storage(cloud), Builds(cloud)
    with listening(cloud) as port:
        shell = Shell(folder, connected(folder, port))
        yield StandIn(cloud, run, running, tokens, storage, builds, shell)


@pytest.fixture(scope="session")
def state_created(stand_in: StandIn) -> State:
    configured = ("gcloud config", "gcloud run")
    first = block("gcloud services enable run")
    stand_in.typed("\n".join(line for line in first.splitlines() if line.startswith(configured)))
    return stand_in.keep()


@pytest.fixture
def created(stand_in: StandIn, state_created: State) -> StandIn:
    """After the first block of docs/deploy.md, as far as it is about Cloud Run."""
    stand_in.restore(state_created)
    return stand_in


@pytest.fixture(scope="session")
def submitted(
    stand_in: StandIn, state_created: State, tmp_path_factory: pytest.TempPathFactory
) -> Pipeline:
    """The documented submission; its workspace is to be copied, not used."""
    return stand_in.submit(tmp_path_factory.mktemp("submitted") / "workspace")


@pytest.fixture(scope="session")
def state_deployed(
    stand_in: StandIn, state_created: State, submitted: Pipeline, well: Server
) -> State:
    stand_in.restore(state_created)
    for step in ("bundle", "deploy"):
        done = submitted.run(step)
        assert done.returncode == 0, done.stderr
    return stand_in.keep()


@pytest.fixture
def deployed(
    stand_in: StandIn, state_deployed: State, submitted: Pipeline, well: Server, tmp_path: Path
) -> tuple[StandIn, Pipeline]:
    """A bundle verified and a revision deployed, not yet asked anything."""
    stand_in.restore(state_deployed)
    stand_in.running.ports[submitted.environment["IMAGE"]] = well.port
    return stand_in, submitted.copied(tmp_path / "workspace")


@pytest.fixture(scope="session")
def well(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A function with the shipped bundle."""
    with serving(bundle_path, tmp_path_factory.mktemp("well") / "log") as server:
        yield server


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A function whose bundle is not there."""
    folder = tmp_path_factory.mktemp("broken")
    with serving(folder / "nowhere", folder / "log") as server:
        yield server


def _require_gcloud() -> None:
    if GCLOUD is None:
        pytest.skip("gcloud is not installed: https://cloud.google.com/sdk/docs/install")
