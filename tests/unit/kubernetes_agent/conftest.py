"""A kubelet's folder and APIs, and what the runtime tells."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.processor import Pod, Processor, ProcessorsUnknownError
from tests.unit.kubernetes_agent.published_api import API, compiled

FREE = [
    Processor("remoteproc0", "10000.r5f", "r5f", "offline"),
    Processor("remoteproc1", "11000.r5f", "r5f", "offline"),
]
POD = Pod("factory", "motor-7d9f", "motor")


class Runtime:
    """A double of the runtime: `processors` is what it tells, or how it fails."""

    def __init__(self) -> None:
        self.processors: list[Processor] | str = FREE

    def read(self, command: Sequence[str]) -> list[Processor]:
        assert command == ("hybrid-runtime",)
        if isinstance(self.processors, str):
            raise ProcessorsUnknownError(self.processors)
        return self.processors


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], API]:
    """An API by its name."""
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: the published API cannot be compiled")
    made: dict[str, API] = {}

    def api(name: str) -> API:
        if name not in made:
            made[name] = compiled(tmp_path_factory.mktemp("api"), name)
        return made[name]

    return api


@pytest.fixture
def kubelet_folder() -> Iterator[Path]:
    """The path of a socket has at most 107 characters (unix(7))."""
    with TemporaryDirectory(dir="/tmp") as folder:
        (Path(folder) / "device-plugins").mkdir()
        (Path(folder) / "plugins_registry").mkdir()
        yield Path(folder)


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()
