"""Every manifest of runtime/engines/kubernetes, applied as docs/kubernetes.md has it: firmware without the agent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil.host.checkout import checkout_root
from tests.kubernetes.conftest import Cluster

MANIFESTS = checkout_root() / "runtime/engines/kubernetes"
ROLLOUT_S = 200
# The second core's name in them, which is another on this board.
SENSOR = "11000.r5f"


@pytest.fixture
def clean(cluster: Cluster) -> Iterator[Cluster]:
    yield cluster
    cluster.clear()


def apply(cluster: Cluster, manifest: Path) -> None:
    cluster.control.kubectl("apply", "-f", "-", stdin=manifest.read_text().replace(SENSOR, cluster.cores[1]))


def roll_out(cluster: Cluster, workload: str) -> None:
    cluster.control.kubectl("rollout", "restart", workload)
    cluster.control.kubectl("rollout", "status", workload, f"--timeout={ROLLOUT_S}s")


def pods_of(cluster: Cluster, app: str) -> dict[str, str]:
    """By their nodes, those that run and are not about to go."""
    found: list[dict[str, Any]] = cluster.control.get("pods", "-l", f"app={app}")["items"]
    return {
        pod["spec"]["nodeName"]: pod["metadata"]["name"]
        for pod in found
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    }


def test_pod(clean: Cluster) -> None:
    apply(clean, MANIFESTS / "pod.yaml")
    clean.await_running("motor")
    clean.await_that("it prints", lambda: "beat=" in clean.control.kubectl("logs", "motor", check=False))
    (status,) = clean.pod("motor")["status"]["containerStatuses"]
    assert status["restartCount"] == 0


def test_deployment_is_recreated(clean: Cluster) -> None:
    """The core of the old pod is free before the new pod comes, which may be on another node."""
    apply(clean, MANIFESTS / "deployment.yaml")
    clean.await_that("it runs", lambda: pods_of(clean, "motor"))
    before = pods_of(clean, "motor")
    roll_out(clean, "deployment/motor")
    after = pods_of(clean, "motor")
    assert len(after) == 1
    assert set(after.values()).isdisjoint(before.values())
    held = [entry["container"] for node in clean.nodes.values() for entry in node.runtime.processors()]
    assert sum(container is not None for container in held) == 1


def test_daemonset_is_rolled_out(clean: Cluster) -> None:
    """One node after the other: each old pod is gone before its successor comes."""
    apply(clean, MANIFESTS / "daemonset.yaml")
    clean.await_that("it runs on every node", lambda: set(pods_of(clean, "sensor")) == set(clean.nodes))
    before = pods_of(clean, "sensor")
    roll_out(clean, "daemonset/sensor")
    after = pods_of(clean, "sensor")
    assert set(after) == set(clean.nodes)
    assert set(after.values()).isdisjoint(before.values())
    for name in after.values():
        (status,) = clean.pod(name)["status"]["containerStatuses"]
        assert status["restartCount"] == 0
