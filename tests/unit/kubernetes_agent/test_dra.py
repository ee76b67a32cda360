"""Dynamic Resource Allocation: claims and health with a kubelet, the slice with an API server, both doubles."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_kubernetes_agent import agent as agent_module
from hybrid_kubernetes_agent.agent import Agent, Settings
from hybrid_kubernetes_agent.dra import allocation
from hybrid_kubernetes_agent.dra.allocation import DynamicAllocation
from hybrid_kubernetes_agent.dra.cluster import ClusterError
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.processor import Processor
from tests.unit.kubernetes_agent.conftest import FREE, POD, Runtime
from tests.unit.kubernetes_agent.dra_kubelet_double import DRAKubeletDouble
from tests.unit.kubernetes_agent.published_api import API

HEALTHY, UNHEALTHY = 1, 2
ALL_HEALTHY = {"10000-r5f": (HEALTHY, ""), "11000-r5f": (HEALTHY, "")}
ANSWER_S = 10.0


class ClusterDouble:
    """Claims by their names, and the slice that was kept last. `refuses` is why nothing is answered."""

    def __init__(self) -> None:
        self.claims: dict[str, dict[str, Any]] = {}
        self.kept: list[Mapping[str, Any]] = []
        self.refuses = ""
        self._changed = threading.Condition()

    def add(self, name: str, uid: str, *devices: tuple[str, str], pool: str = "node-a") -> None:
        """Of pairs of request and device."""
        results = [
            {"driver": "hybrid-runtime.io", "request": request, "pool": pool, "device": device}
            for request, device in devices
        ]
        other = {"driver": "gpu.example.com", "request": "gpu", "pool": "node-a", "device": "gpu-0"}
        status = {"allocation": {"devices": {"results": [*results, other]}}}
        self.claims[name] = {"metadata": {"uid": uid}, "status": status}

    def claim(self, namespace: str, name: str) -> Mapping[str, Any]:
        assert namespace == "factory"
        if self.refuses:
            raise ClusterError(self.refuses)
        return self.claims[name]

    def keep_slice(self, name: str, spec: Mapping[str, Any]) -> bool:
        assert name == "node-a-hybrid-runtime.io"
        if self.refuses:
            raise ClusterError(self.refuses)
        with self._changed:
            self.kept.append(spec)
            self._changed.notify_all()
        return True

    def wait_for_devices(self, *names: str) -> Mapping[str, Any]:
        def arrived() -> bool:
            return bool(self.kept) and [device["name"] for device in self.kept[-1]["devices"]] == list(names)

        with self._changed:
            assert self._changed.wait_for(arrived, ANSWER_S), self.kept
            return self.kept[-1]


@pytest.fixture
def cluster() -> ClusterDouble:
    return ClusterDouble()


@pytest.fixture
def kubelet(published: Callable[[str], API], kubelet_folder: Path) -> Iterator[DRAKubeletDouble]:
    double = DRAKubeletDouble(kubelet_folder, published)
    yield double
    double.stop()


class RunningAgent:
    """Of this process."""

    def __init__(self, folder: Path, runtime: Runtime, cluster: ClusterDouble, metrics: Metrics, cdi: Path) -> None:
        self.stop_event = threading.Event()
        offer = DynamicAllocation(folder, "node-a", cluster, metrics)
        settings = Settings(specifications=cdi, look_s=0.1)
        agent = Agent(settings, offer, metrics, runtime.read)
        self._thread = threading.Thread(target=agent.run, args=(self.stop_event,))
        self._thread.start()

    def stop(self) -> None:
        self.stop_event.set()
        self._thread.join(ANSWER_S)
        assert not self._thread.is_alive()


@pytest.fixture
def start(
    kubelet_folder: Path,
    runtime: Runtime,
    cluster: ClusterDouble,
    metrics: Metrics,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], RunningAgent]]:
    """An agent at each call; the one before has to be stopped."""
    monkeypatch.setattr(agent_module, "KUBELET_LOOK_S", 0.05)
    started: list[RunningAgent] = []

    def begin() -> RunningAgent:
        started.append(RunningAgent(kubelet_folder, runtime, cluster, metrics, tmp_path / "cdi"))
        return started[-1]

    yield begin
    for each in started:
        each.stop()


@pytest.fixture
def agent(start: Callable[[], RunningAgent], kubelet: DRAKubeletDouble) -> RunningAgent:
    """Met by the kubelet."""
    found = start()
    kubelet.meet()
    return found


@pytest.mark.usefixtures("agent")
def test_the_slice(cluster: ClusterDouble, runtime: Runtime, metrics: Metrics) -> None:
    runtime.processors = [replace(FREE[0], driver="xlnx_r5_remoteproc", board="xlnx,versal-virt"), FREE[1]]
    spec = cluster.wait_for_devices("10000-r5f", "11000-r5f")
    assert (spec["driver"], spec["nodeName"]) == ("hybrid-runtime.io", "node-a")
    while "board" not in (attributes := cluster.kept[-1]["devices"][0]["attributes"]):
        assert not threading.Event().wait(0.05)
    assert attributes == {
        "name": {"string": "10000.r5f"},
        "kind": {"string": "r5f"},
        "device": {"string": "remoteproc0"},
        "driver": {"string": "xlnx_r5_remoteproc"},
        "board": {"string": "xlnx,versal-virt"},
        "state": {"string": "offline"},
    }
    assert metrics.registry.get_sample_value("hybrid_registrations_total", {"resource": "hybrid-runtime.io"}) == 1.0


@pytest.mark.usefixtures("agent")
def test_a_claim(cluster: ClusterDouble, kubelet: DRAKubeletDouble, tmp_path: Path) -> None:
    kubelet.wait_for_health(ALL_HEALTHY)
    cluster.add("motor", "uid-1", ("core", "11000-r5f"))
    for _ in range(2):
        answer = kubelet.prepare("motor", "uid-1")
        assert answer.error == ""
        (device,) = answer.devices
        assert (list(device.request_names), device.pool_name, device.device_name) == (["core"], "node-a", "11000-r5f")
        assert list(device.cdi_device_ids) == ["hybrid-runtime.io/r5f=11000.r5f"]
    written = json.loads((tmp_path / "cdi/hybrid-runtime.io-r5f.json").read_text())
    assert "11000.r5f" in [entry["name"] for entry in written["devices"]]
    for _ in range(2):
        assert kubelet.unprepare("motor", "uid-1") == ""


def test_claims_outlive_the_agent_and_the_cluster(
    cluster: ClusterDouble, kubelet: DRAKubeletDouble, agent: RunningAgent, start: Callable[[], RunningAgent]
) -> None:
    """After a reboot a kubelet starts what it had before the API server is there."""
    kubelet.wait_for_health(ALL_HEALTHY)
    cluster.add("motor", "uid-1", ("core", "10000-r5f"))
    cluster.add("camera", "uid-2", ("core", "11000-r5f"))
    assert kubelet.prepare("motor", "uid-1").error == kubelet.prepare("camera", "uid-2").error == ""
    assert kubelet.unprepare("camera", "uid-2") == ""
    agent.stop()
    assert not list(kubelet.registry.iterdir())
    cluster.refuses = "the API server does not answer"
    start()
    kubelet.meet()
    answer = kubelet.prepare("motor", "uid-1")
    assert [device.device_name for device in answer.devices] == ["10000-r5f"]
    assert kubelet.prepare("camera", "uid-2").error == "the API server does not answer"


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    ("devices", "pool", "uid", "says"),
    [
        ([("core", "10000-r5f"), ("core", "11000-r5f")], "node-a", "uid-1", "request `core` got 2 processors"),
        ([("core", "12000-r5f")], "node-a", "uid-1", "there is no device `12000-r5f` on this node"),
        ([("core", "10000-r5f")], "node-b", "uid-1", "there is no device `10000-r5f` on this node"),
        ([("core", "10000-r5f")], "node-a", "uid-0", "is another one by now"),
    ],
)
def test_what_cannot_be_prepared(
    cluster: ClusterDouble,
    kubelet: DRAKubeletDouble,
    devices: list[tuple[str, str]],
    pool: str,
    uid: str,
    says: str,
) -> None:
    kubelet.wait_for_health(ALL_HEALTHY)
    cluster.add("motor", uid, *devices, pool=pool)
    for _ in range(2):
        answer = kubelet.prepare("motor", "uid-1")
        assert says in answer.error
        assert not answer.devices
    assert kubelet.unprepare("motor", "uid-1") == ""


@pytest.mark.usefixtures("agent")
def test_two_requests_of_a_claim(cluster: ClusterDouble, kubelet: DRAKubeletDouble) -> None:
    kubelet.wait_for_health(ALL_HEALTHY)
    cluster.add("both", "uid-1", ("left", "10000-r5f"), ("right", "11000-r5f"))
    found = kubelet.prepare("both", "uid-1").devices
    assert {device.request_names[0]: device.device_name for device in found} == {
        "left": "10000-r5f",
        "right": "11000-r5f",
    }


@pytest.mark.usefixtures("agent")
def test_health(cluster: ClusterDouble, kubelet: DRAKubeletDouble, runtime: Runtime) -> None:
    """The kubelet is told why; the scheduler is not offered what cannot be had."""
    kubelet.wait_for_health(ALL_HEALTHY)
    stuck = Processor("remoteproc0", "10000.r5f", "r5f", "running", obstacle="does not stop", holder="1e", pod=POD)
    runtime.processors = [stuck, FREE[1]]
    kubelet.wait_for_health(ALL_HEALTHY | {"10000-r5f": (UNHEALTHY, "does not stop")})
    cluster.wait_for_devices("11000-r5f")
    runtime.processors = [FREE[1]]
    kubelet.wait_for_health(ALL_HEALTHY | {"10000-r5f": (UNHEALTHY, "the processor is gone")})
    runtime.processors = FREE
    kubelet.wait_for_health(ALL_HEALTHY)
    cluster.wait_for_devices("10000-r5f", "11000-r5f")


def test_a_kubelet_that_removes_sockets(kubelet: DRAKubeletDouble, agent: RunningAgent, cluster: ClusterDouble) -> None:
    kubelet.wait_for_health(ALL_HEALTHY)
    kubelet.stop()
    for socket in kubelet.registry.glob("*.sock"):
        socket.unlink()
    kept = len(cluster.kept)
    kubelet.meet()
    kubelet.health = {}
    kubelet.wait_for_health(ALL_HEALTHY)
    # A kubelet that did not know the driver may have removed its slice.
    while len(cluster.kept) == kept:
        assert not agent.stop_event.wait(0.05)


def test_a_kubelet_that_does_not_take_it(kubelet: DRAKubeletDouble, start: Callable[[], RunningAgent]) -> None:
    start()
    kubelet.meet(error="no such driver")
    kubelet.meet()
    kubelet.wait_for_health(ALL_HEALTHY)


def test_a_cluster_that_does_not_answer(
    cluster: ClusterDouble,
    start: Callable[[], RunningAgent],
    kubelet: DRAKubeletDouble,
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(allocation, "_AFTER_FAILURE_S", 0.1)
    cluster.refuses = "no route"
    start()
    kubelet.meet()
    kubelet.wait_for_health(ALL_HEALTHY)
    pause = threading.Event()
    while (metrics.registry.get_sample_value("hybrid_slice_failures_total") or 0) < 2:
        pause.wait(0.05)
    cluster.refuses = ""
    cluster.wait_for_devices("10000-r5f", "11000-r5f")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "Expecting"),
        ("[]", "it is damaged"),
        ('{"format": 2, "claims": {}}', "it is of format `2`"),
        ('{"format": 1, "claims": {"uid-1": [{"name": "a"}]}}', "it is damaged"),
    ],
)
def test_claims_that_cannot_be_read(
    kubelet_folder: Path, cluster: ClusterDouble, metrics: Metrics, content: str, says: str
) -> None:
    path = kubelet_folder / "plugins/hybrid-runtime.io/claims.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(ValueError, match=says):
        DynamicAllocation(kubelet_folder, "node-a", cluster, metrics)
    assert path.read_text() == content
