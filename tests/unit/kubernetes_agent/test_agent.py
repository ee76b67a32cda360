"""The agent and a kubelet: registration, health, allocation, and restarts of either in any order."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from hybrid_kubernetes_agent import agent as agent_module
from hybrid_kubernetes_agent.agent import Agent, Settings
from hybrid_kubernetes_agent.device_plugin.plugins import DevicePlugins
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.processor import Processor
from tests.unit.kubernetes_agent.conftest import FREE, POD, Runtime
from tests.unit.kubernetes_agent.kubelet_double import KubeletDouble
from tests.unit.kubernetes_agent.published_api import API, DEVICE_PLUGIN

R5F = "hybrid-runtime.io/r5f"
HEALTHY = {"10000.r5f": "Healthy", "11000.r5f": "Healthy"}


@pytest.fixture
def kubelet(published: Callable[[str], API], kubelet_folder: Path) -> Iterator[KubeletDouble]:
    double = KubeletDouble(kubelet_folder / "device-plugins", published(DEVICE_PLUGIN))
    double.start()
    yield double
    double.stop()


@pytest.fixture
def agent(
    tmp_path: Path, kubelet: KubeletDouble, runtime: Runtime, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> Iterator[threading.Event]:
    """Running, and stopped by its event."""
    monkeypatch.setattr(agent_module, "KUBELET_LOOK_S", 0.05)
    settings = Settings(specifications=tmp_path / "cdi", look_s=0.1)
    stop = threading.Event()
    offer = DevicePlugins(kubelet.folder, metrics)
    thread = threading.Thread(target=Agent(settings, offer, metrics, runtime.read).run, args=(stop,))
    thread.start()
    yield stop
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.usefixtures("agent")
def test_free_processors_are_offered(kubelet: KubeletDouble, tmp_path: Path) -> None:
    kubelet.wait_for(R5F, HEALTHY)
    assert kubelet.registrations == [R5F]
    written = json.loads((tmp_path / "cdi/hybrid-runtime.io-r5f.json").read_text())
    assert written["kind"] == R5F
    assert written["devices"][1] == {
        "name": "11000.r5f",
        "containerEdits": {"env": ["REMOTEPROC_ALLOCATED=11000.r5f"]},
    }


@pytest.mark.usefixtures("agent")
def test_an_allocation(kubelet: KubeletDouble, metrics: Metrics) -> None:
    kubelet.wait_for(R5F, HEALTHY)
    given = kubelet.allocate(R5F, "11000.r5f")
    assert [device.name for device in given.cdi_devices] == ["hybrid-runtime.io/r5f=11000.r5f"]
    assert dict(given.envs) == {"REMOTEPROC_ALLOCATED": "11000.r5f"}
    assert metrics.registry.get_sample_value("hybrid_allocations_total", {"resource": R5F}) == 1.0


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    ("devices", "code", "says"),
    [
        (("10000.r5f", "11000.r5f"), grpc.StatusCode.INVALID_ARGUMENT, "a container runs one firmware, and 2 of"),
        ((), grpc.StatusCode.INVALID_ARGUMENT, "and 0 of"),
        (("12000.r5f",), grpc.StatusCode.NOT_FOUND, "`12000.r5f` is no device of"),
    ],
)
def test_what_cannot_be_allocated(
    kubelet: KubeletDouble, devices: tuple[str, ...], code: grpc.StatusCode, says: str
) -> None:
    kubelet.wait_for(R5F, HEALTHY)
    with pytest.raises(grpc.RpcError) as raised:
        kubelet.allocate(R5F, *devices)
    assert raised.value.code() is code
    assert says in str(raised.value.details())


@pytest.mark.usefixtures("agent")
def test_health_follows_the_processors(kubelet: KubeletDouble, runtime: Runtime) -> None:
    kubelet.wait_for(R5F, HEALTHY)
    crashed = Processor("remoteproc0", "10000.r5f", "r5f", "crashed", holder="1ec86f", pod=POD)
    outside = Processor("remoteproc1", "11000.r5f", "r5f", "running", obstacle="started outside this runtime")
    runtime.processors = [crashed, outside]
    kubelet.wait_for(R5F, {"10000.r5f": "Healthy", "11000.r5f": "Unhealthy"})
    # By podman, of which a scheduler knows nothing.
    runtime.processors = [crashed, Processor("remoteproc1", "11000.r5f", "r5f", "running", holder="motor")]
    assert not threading.Event().wait(0.3)
    kubelet.wait_for(R5F, {"10000.r5f": "Healthy", "11000.r5f": "Unhealthy"})
    # Its driver was unbound: whoever has it is to be told.
    runtime.processors = [crashed]
    kubelet.wait_for(R5F, {"10000.r5f": "Healthy", "11000.r5f": "Unhealthy"})
    runtime.processors = FREE
    kubelet.wait_for(R5F, HEALTHY)


@pytest.mark.usefixtures("agent")
def test_a_runtime_that_fails(kubelet: KubeletDouble, runtime: Runtime, metrics: Metrics) -> None:
    kubelet.wait_for(R5F, HEALTHY)
    runtime.processors = "`hybrid-runtime` ended with 1: no /sys"
    kubelet.wait_for(R5F, dict.fromkeys(HEALTHY, "Unhealthy"))
    assert (metrics.registry.get_sample_value("hybrid_failures_total") or 0) >= 3
    runtime.processors = FREE
    kubelet.wait_for(R5F, HEALTHY)


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("sweeps", [True, False])
def test_another_kubelet(kubelet: KubeletDouble, sweeps: bool) -> None:
    """One that removes the sockets of plugins, whose own may get the number of the former; and one that does not."""
    for _ in range(3):
        kubelet.wait_for(R5F, HEALTHY)
        kubelet.restart(sweeps=sweeps)
    kubelet.wait_for(R5F, HEALTHY)
    assert kubelet.registrations == [R5F]


def test_a_kubelet_that_comes_later(kubelet: KubeletDouble, agent: threading.Event) -> None:
    kubelet.wait_for(R5F, HEALTHY)
    kubelet.stop()
    kubelet.socket.unlink(missing_ok=True)
    assert not agent.wait(0.3)
    kubelet.restart()
    kubelet.wait_for(R5F, HEALTHY)


def test_the_end_leaves_no_socket(kubelet: KubeletDouble, agent: threading.Event, tmp_path: Path) -> None:
    """Specifications stay: a container that is started again needs them."""
    kubelet.wait_for(R5F, HEALTHY)
    agent.set()
    with kubelet._changed:
        assert kubelet._changed.wait_for(lambda: R5F in kubelet.ended, 10)
    for _ in range(100):
        if not list(kubelet.folder.glob("hybrid*")):
            break
        threading.Event().wait(0.05)
    assert not list(kubelet.folder.glob("hybrid*"))
    assert [path.name for path in (tmp_path / "cdi").iterdir()] == ["hybrid-runtime.io-r5f.json"]
