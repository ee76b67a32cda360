"""A pod asks for a core and gets a free one: the agent as a device plugin, met by real kubelets."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil.deadline import Deadline
from tests.engines.pause import PAUSE
from tests.kubernetes.conftest import CAMERA, DEPLOY, MOTOR, ROOT, Cluster
from tests.kubernetes.node import Node

NODE_RESTART_S = 600.0
# What a node with two free cores offers.
BOTH = {"hybrid-runtime.io/motor": "1", "hybrid-runtime.io/camera": "1"}
OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: hybrid-runtime
resources: [{base}]
configMapGenerator:
  - name: hybrid-kubernetes-agent
    behavior: merge
    literals:
      - kinds={kinds}
"""


def pod(name: str, kind: str, image: str, **spec: object) -> dict[str, Any]:
    container = {"name": "firmware", "image": image, "resources": {"limits": {f"hybrid-runtime.io/{kind}": 1}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"runtimeClassName": "hybrid-runtime", "containers": [container], **spec},
    }


@pytest.fixture(scope="module")
def agents(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """On each node, as docs/kubernetes.md has it. The firmware of this board is linked for one core, so each core is of
    a kind of its own."""
    folder = tmp_path_factory.mktemp("overlay")
    # kubectl takes bases by relative paths only.
    base = Path(*[".."] * (len(folder.parts) - 1), *(DEPLOY / "device-plugin").parts[1:])
    kinds = " ".join(f"{core}={kind}" for core, kind in zip(cluster.cores, ("motor", "camera"), strict=True))
    (folder / "kustomization.yaml").write_text(OVERLAY.format(base=base, kinds=kinds))
    cluster.control.kubectl("apply", "-k", str(folder))
    for node in cluster.nodes:
        cluster.await_that(f"the cores of {node} are offered", lambda: cluster.resources(node) == BOTH)  # noqa: B023
    yield cluster
    cluster.control.kubectl("delete", "-k", str(folder))


@pytest.fixture
def clean(agents: Cluster) -> Iterator[Cluster]:
    """Without pods in the default namespace, also afterwards."""
    yield agents
    agents.clear()


def test_a_pod_waits_for_a_core(clean: Cluster, record_property: Any) -> None:  # noqa: ANN401  pytest's own
    """One motor on each node, and a third pod: it gets the core of the one that goes."""
    began = time.monotonic()
    clean.apply(pod("first", "motor", MOTOR))
    clean.await_running("first")
    record_property("applied to running", time.monotonic() - began)
    clean.apply(pod("second", "motor", MOTOR), pod("camera", "camera", CAMERA))
    clean.await_running("second", "camera")
    assert clean.pod("first")["spec"]["nodeName"] != clean.pod("second")["spec"]["nodeName"]
    clean.apply(pod("third", "motor", MOTOR))
    clean.await_that(
        "the third pod is told to wait",
        lambda: any("Insufficient hybrid-runtime.io/motor" in event for event in clean.events_of("third")),
    )
    assert clean.phase("third") == "Pending"
    node = clean.pod("first")["spec"]["nodeName"]
    began = time.monotonic()
    clean.control.kubectl("delete", "pod", "first", "--grace-period=5", "--wait=false")
    clean.await_running("third")
    record_property("freed to running", time.monotonic() - began)
    assert clean.pod("third")["spec"]["nodeName"] == node
    clean.await_that("it prints", lambda: "beat=" in clean.control.kubectl("logs", "third", check=False))


def test_a_crash_restarts_the_container(clean: Cluster, record_property: Any) -> None:  # noqa: ANN401  pytest's own
    clean.apply(pod("phoenix", "motor", MOTOR))
    clean.await_running("phoenix")
    node = clean.nodes[clean.pod("phoenix")["spec"]["nodeName"]]
    device = next(entry["device"] for entry in node.runtime.processors() if entry["pod"])
    began = time.monotonic()
    node.shell.run(f"echo 2 > /sys/kernel/debug/remoteproc/{device}/crash")

    def restarted() -> bool:
        (status,) = clean.pod("phoenix")["status"]["containerStatuses"]
        return status["restartCount"] == 1 and "running" in status["state"]

    clean.await_that("the container is restarted", restarted)
    record_property("crashed to running", time.monotonic() - began)
    (status,) = clean.pod("phoenix")["status"]["containerStatuses"]
    assert status["lastState"]["terminated"]["exitCode"] == 70
    (tally,) = (entry["crashes"] for entry in node.runtime.processors() if entry["device"] == device)
    assert tally == 1


def test_a_kubelet_that_comes_back(clean: Cluster) -> None:
    """Killed in between. The pod goes on, the agent registers again, and the core is not given away twice."""
    clean.apply(pod("steady", "motor", MOTOR))
    clean.await_running("steady")
    name = clean.pod("steady")["spec"]["nodeName"]
    node = clean.nodes[name]
    (pid,) = (entry["pid"] for entry in json.loads(node.runtime.run("--root", ROOT, "list", "-f", "json").stdout))
    node.kubelet.kill()
    node.kubelet.ensure()
    clean.await_that("the cores are offered again", lambda: clean.resources(name)["hybrid-runtime.io/motor"] == "1")
    clean.apply(pod("second", "motor", MOTOR), pod("third", "motor", MOTOR))
    clean.await_running("second")
    assert clean.pod("second")["spec"]["nodeName"] != name
    clean.await_that("the third pod waits", lambda: clean.events_of("third"))
    assert clean.phase("third") == "Pending"
    (now,) = (entry["pid"] for entry in json.loads(node.runtime.run("--root", ROOT, "list", "-f", "json").stdout))
    assert now == pid
    (status,) = clean.pod("steady")["status"]["containerStatuses"]
    assert status["restartCount"] == 0


def test_firmware_that_is_linked_for_another_core(clean: Cluster) -> None:
    """As docs/kubernetes.md tells: in the events, in the status of the container, and by the kernel in the logs."""
    clean.apply(pod("wrong", "camera", MOTOR))
    says = "is outside of the core's memory"
    clean.await_that("an event says why", lambda: any(says in event for event in clean.events_of("wrong")))

    def ended() -> dict[str, Any]:
        found: dict[str, Any] = clean.pod("wrong")["status"]["containerStatuses"][0]["lastState"].get("terminated", {})
        return found

    clean.await_that("the container has ended", ended)
    assert (ended()["reason"], ended()["exitCode"]) == ("StartError", 128)
    assert says in ended()["message"]
    clean.await_that("the logs say why", lambda: "Boot failed" in clean.control.kubectl("logs", "wrong", check=False))


def test_a_program_for_linux_is_no_firmware(clean: Cluster) -> None:
    """Such as a sidecar that something puts into the pod."""
    sidecar = pod("sidecar", "motor", PAUSE)
    sidecar["spec"]["containers"][0]["command"] = ["/busybox"]
    clean.apply(sidecar)
    says = "a program for Linux needs a container without this runtime"
    clean.await_that("an event says so", lambda: any(says in event for event in clean.events_of("sidecar")))


def test_a_drained_node(clean: Cluster) -> None:
    """Its pod is gone, and the deployment's next one runs on the other node."""
    clean.apply(deployment("motor", "motor", MOTOR))
    (before,) = running_of(clean, "motor")
    name = before["spec"]["nodeName"]
    clean.control.kubectl("drain", name, "--ignore-daemonsets", "--delete-emptydir-data", "--grace-period=5")
    try:
        clean.await_that(
            "the pod moves",
            lambda: [found["spec"].get("nodeName") for found in running_of(clean, "motor")] not in ([], [name]),
        )
    finally:
        clean.control.kubectl("uncordon", name)


def test_a_core_that_somebody_else_uses(clean: Cluster) -> None:
    """Started from outside on one node: the scheduler is told, and takes the other node."""
    name, node = next(iter(clean.nodes.items()))
    device = next(entry["device"] for entry in node.runtime.processors() if entry["name"] == clean.cores[0])
    state = f"/sys/class/remoteproc/{device}/state"
    node.shell.run(f"cp {node.firmware[MOTOR].path_on_board} /lib/firmware/by-hand.elf")
    node.shell.run(f"echo by-hand.elf > /sys/class/remoteproc/{device}/firmware && echo start > {state}")
    try:
        clean.await_that("it is taken back", lambda: clean.resources(name)["hybrid-runtime.io/motor"] == "0")
        clean.apply(pod("elsewhere", "motor", MOTOR))
        clean.await_running("elsewhere")
        assert clean.pod("elsewhere")["spec"]["nodeName"] != name
    finally:
        node.shell.run(f"echo stop > {state}; rm /lib/firmware/by-hand.elf")
    clean.await_that("it is offered again", lambda: clean.resources(name)["hybrid-runtime.io/motor"] == "1")


_COST = """
for each in /proc/[0-9]*; do
    if tr '\\0' ' ' < $each/cmdline 2>/dev/null | grep -q '^python3 -m hybrid_kubernetes_agent'; then
        awk '/VmRSS/ { print $2 }' $each/status
        cut -d ' ' -f 14-17 $each/stat
    fi
done
"""


def test_what_an_agent_costs_at_rest(clean: Cluster, record_property: Any) -> None:  # noqa: ANN401  pytest's own
    """Its memory is within what the DaemonSet asks for; its processor time has that of the runtime that it calls."""
    node = next(iter(clean.nodes.values()))
    (memory, before), (_, after) = (_cost(node), _after_a_minute(node))
    record_property("agent KiB", memory)
    record_property("agent processor seconds a minute", (after - before) / 100)
    assert memory < 64 << 10


def _cost(node: Node) -> tuple[int, int]:
    """Resident KiB, and ticks of the agent and of the programs it has called (proc_pid_stat(5), 14 to 17)."""
    memory, *ticks = map(int, node.shell.run(_COST).stdout.split())
    return memory, sum(ticks)


def _after_a_minute(node: Node) -> tuple[int, int]:
    node.shell.run("sleep 60", deadline=Deadline(120.0))
    return _cost(node)


def test_a_node_whose_power_is_cut(clean: Cluster) -> None:
    """Nothing is left of the containers but what kubelet and containerd know of them. A kubelet does not admit a pod
    again before the agent has offered the cores, so it may take another pod to replace it, as a Deployment has it."""
    clean.apply(deployment("motor", "motor", MOTOR))
    (before,) = running_of(clean, "motor")
    name = before["spec"]["nodeName"]
    node = clean.nodes[name]
    others = [other for other in clean.nodes if other != name]
    for other in others:
        clean.control.kubectl("cordon", other)
    try:
        node.restart(clean.control.port)

        def holders() -> list[str]:
            return [entry["pod"]["pod"] for entry in node.runtime.processors() if entry["pod"]]

        clean.await_that("a pod has the core again", holders, NODE_RESTART_S)
        (holder,) = holders()
        assert clean.pod(holder)["metadata"]["labels"]["app"] == "motor"
        clean.await_that("its cores are offered again", lambda: clean.resources(name) == BOTH)
        clean.await_that("the pod runs", lambda: running_of(clean, "motor"))
    finally:
        for other in others:
            clean.control.kubectl("uncordon", other)


def deployment(name: str, kind: str, image: str) -> dict[str, Any]:
    template = pod(name, kind, image)
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
        },
    }


def running_of(cluster: Cluster, app: str) -> list[dict[str, Any]]:
    def running() -> list[dict[str, Any]]:
        pods = cluster.control.get("pods", "-l", f"app={app}")["items"]
        return [found for found in pods if found["status"]["phase"] == "Running"]

    cluster.await_that(f"a pod of {app} runs", running)
    return running()
