"""A cluster of emulated boards: a control plane on this machine, and kubelet, containerd and runtime on each board."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import Image
from hybrid_hil.image.store import Store
from hybrid_hil.shell.forwarding import forwarded_port
from hybrid_hil.terminal import TerminalReporter
from tests.free_ports import free_ports
from tests.kubernetes import agent_image, release
from tests.kubernetes.binaries import NOT_GIVEN, Binaries
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.node import Node

MOTOR, CAMERA = "registry.example/motor:1.0", "registry.example/sensor:1.0"
CLASS = checkout_root() / "runtime/engines/kubernetes/runtimeclass.yaml"
DEPLOY = agent_image.SOURCE / "deploy"
# Of containerd's containers of pods.
ROOT = "/run/containerd/runc/k8s.io"
LABEL = "hybrid-runtime/cores=true"
BINARIES = pytest.StashKey[Binaries]()
CHANGE_S = 240.0
BETWEEN_LOOKS_S = 0.2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        *("--binaries", "--kubernetes-binaries"), type=Path, default=None, metavar="DIR",
        help="Kubernetes' programs: DIR/amd64/kube-apiserver … for this machine, DIR/arm64/kubelet for boards",
    )  # fmt: skip
    parser.addoption(
        "--download-binaries",
        action="store_true",
        help=f"take those of Kubernetes {release.VERSION} from its server; they are checked and kept in the cache",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Boards have the kubelet that was given, unless an image is named."""
    folder, why_not = config.getoption("--binaries"), NOT_GIVEN
    if folder is None and config.getoption("--download-binaries"):
        try:
            folder = release.downloaded(Store(), TerminalReporter(), release.parts())
        except RigError as error:
            why_not = str(error)
    config.stash[BINARIES] = Binaries(folder, why_not)
    if folder is not None and config.option.image is None:
        config.option.image = f"debian-testing+kubernetes={folder / release.BOARDS}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine("kubernetes"))


@dataclass
class Cluster:
    """Its API server, and its nodes by their names. `cores` are the names of the processors of a board, in order."""

    control: ControlPlane
    nodes: dict[str, Node]
    cores: tuple[str, ...]

    def apply(self, *objects: dict[str, Any]) -> None:
        several = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.control.kubectl("apply", "-f", "-", stdin=json.dumps(several))

    def pod(self, name: str) -> dict[str, Any]:
        return self.control.get("pod", name)

    def phase(self, name: str) -> str:
        found: str = self.pod(name)["status"]["phase"]
        return found

    def resources(self, node: str) -> dict[str, str]:
        """What the scheduler may give away there."""
        allocatable: dict[str, str] = self.control.get("node", node)["status"]["allocatable"]
        return {name: count for name, count in allocatable.items() if name.startswith("hybrid-runtime.io/")}

    def await_that(self, what: str, is_so: Callable[[], object], seconds: float = CHANGE_S) -> None:
        for _ in Deadline(seconds).ticks(BETWEEN_LOOKS_S):
            if is_so():
                return
        raise AssertionError(f"not within {seconds} s: {what}\n{self.evidence()}")

    def await_running(self, *pods: str) -> None:
        for pod in pods:
            self.await_that(f"pod {pod} runs", lambda: self.phase(pod) == "Running")  # noqa: B023  called at once

    def clear(self, kinds: str = "all") -> None:
        """Nothing of those kinds is left in the default namespace, and no core runs."""
        self.control.kubectl("delete", kinds, "--all", "--grace-period=5")
        self.await_that("all pods are gone", lambda: not self.control.get("pods")["items"])
        for node in self.nodes.values():
            assert {(entry["state"], entry["container"]) for entry in node.runtime.processors()} == {("offline", None)}

    def events_of(self, pod: str) -> list[str]:
        found = self.control.get("events", f"--field-selector=involvedObject.name={pod}")["items"]
        return [f"{event['reason']}: {event['message']}" for event in found]

    def evidence(self) -> str:
        return self.control.kubectl("get", "pods", "-A", "-o", "wide", check=False) + self.control.kubectl(
            "get", "events", "-A", check=False
        )


@pytest.fixture(scope="session")
def binaries(pytestconfig: pytest.Config) -> Binaries:
    return pytestconfig.stash[BINARIES]


@pytest.fixture(scope="session")
def agent_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return agent_image.build(tmp_path_factory.mktemp("agent"))


@pytest.fixture(scope="session", params=[2], ids=["two-nodes"])
def cluster(
    request: pytest.FixtureRequest,
    image: Image,
    binaries: Binaries,
    agent_archive: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    """Boards with firmware for their first core, and for their second."""
    names = tuple(f"127.0.0.{number + 2}" for number in range(request.param))
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("cluster")
        control = stack.enter_context(ControlPlane(binaries, folder, names))
        found = Cluster(control, {}, ())
        for name in names:
            board = QemuBoard(image, QemuOptions(keeps_disk=True), owner="tests")
            rig = stack.enter_context(Rig(board))
            rig.boot()
            port, _ = free_ports(2)
            node = Node(board, name, port, control.kubeconfig(name, from_board=True))
            node.prepare()
            cores = tuple(entry["name"] for entry in node.runtime.processors())
            for core, tag in enumerate((MOTOR, CAMERA)):
                node.load_firmware(tag, rig.firmware("heartbeat", core))
            node.load(agent_archive)
            node.join(control.port)
            stack.enter_context(forwarded_port(board.shell, port, (name, port)))
            found.nodes[name] = node
            found.cores = cores
        for name in names:
            found.await_that(f"node {name} is ready", lambda: is_ready(control, name))  # noqa: B023  called at once
            control.kubectl("label", "node", name, LABEL)
        control.kubectl("apply", "-f", str(CLASS))
        yield found


def is_ready(control: ControlPlane, node: str) -> bool:
    nodes = {item["metadata"]["name"]: item for item in control.get("nodes")["items"]}
    conditions = nodes.get(node, {}).get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
