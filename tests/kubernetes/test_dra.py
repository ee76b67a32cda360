"""Claims choose among the processors of a cluster: the agent as a DRA driver, met by real kubelets and schedulers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hybrid_hil.shell import Shell
from tests.kubernetes.conftest import CAMERA, DEPLOY, MOTOR, ROOT, Cluster
from tests.linux import Linux
from tests.refused_stop import refusing, strace

DOMAIN = "hybrid-runtime.io"
SAYS = "does not stop: device or resource busy"


def claim_template(name: str, expression: str, device_class: str = f"processor.{DOMAIN}") -> dict[str, Any]:
    request = {"deviceClassName": device_class, "selectors": [{"cel": {"expression": expression}}]}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": name},
        "spec": {"spec": {"devices": {"requests": [{"name": "core", "exactly": request}]}}},
    }


def attribute(name: str, value: str) -> str:
    return f'device.attributes["{DOMAIN}"].{name} == "{value}"'


def pod(name: str, image: str, template: str = "", **resources: object) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "firmware", "image": image, "resources": dict(resources)}
    spec: dict[str, Any] = {"runtimeClassName": "hybrid-runtime", "containers": [container]}
    if template:
        container["resources"]["claims"] = [{"name": "core"}]
        spec["resourceClaims"] = [{"name": "core", "resourceClaimTemplateName": template}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def devices(cluster: Cluster, node: str) -> list[str]:
    slices = cluster.control.get("resourceslices")["items"]
    return [
        device["name"] for found in slices if found["spec"]["nodeName"] == node for device in found["spec"]["devices"]
    ]


@pytest.fixture(scope="module")
def agents(cluster: Cluster) -> Iterator[Cluster]:
    cluster.control.kubectl("apply", "-k", str(DEPLOY / "dra"))
    for node in cluster.nodes:
        cluster.await_that(f"the cores of {node} are offered", lambda: len(devices(cluster, node)) == 2)  # noqa: B023
    yield cluster
    cluster.control.kubectl("delete", "-k", str(DEPLOY / "dra"))


@pytest.fixture
def clean(agents: Cluster) -> Iterator[Cluster]:
    yield agents
    agents.clear("pods,resourceclaimtemplates")
    agents.await_that("all claims are gone", lambda: not agents.control.get("resourceclaims")["items"])


def test_claims_by_name(clean: Cluster) -> None:
    """One core of that name on each node: two pods run on different nodes, and the third waits for one of them."""
    clean.apply(claim_template("motor", attribute("name", clean.cores[0])))
    clean.apply(*(pod(name, MOTOR, "motor") for name in ("first", "second")))
    clean.await_running("first", "second")
    nodes = [clean.pod(name)["spec"]["nodeName"] for name in ("first", "second")]
    assert len(set(nodes)) == 2
    clean.apply(pod("third", MOTOR, "motor"))
    clean.await_that("the third pod is told to wait", lambda: clean.events_of("third"))
    assert clean.phase("third") == "Pending"
    clean.control.kubectl("delete", "pod", "second", "--grace-period=5", "--wait=false")
    clean.await_running("third")
    assert clean.pod("third")["spec"]["nodeName"] == nodes[1]
    clean.await_that("it prints", lambda: "beat=" in clean.control.kubectl("logs", "third", check=False))
    status = clean.pod("first")["status"]["containerStatuses"][0]["allocatedResourcesStatus"]
    assert status[0]["resources"][0]["health"] == "Healthy"


def test_an_extended_resource_is_a_claim(clean: Cluster) -> None:
    """A pod that was written for the device plugin, from Kubernetes 1.36 on. Both cores of a node are of the kind."""
    for node in list(clean.nodes)[1:]:
        clean.control.kubectl("cordon", node)
    try:
        clean.apply(claim_template("camera", attribute("name", clean.cores[1])), pod("camera", CAMERA, "camera"))
        clean.await_running("camera")
        clean.apply(pod("motor", MOTOR, limits={f"{DOMAIN}/r5f": 1}))
        clean.await_running("motor")
    finally:
        for node in list(clean.nodes)[1:]:
            clean.control.kubectl("uncordon", node)


def test_a_node_s_agent_keeps_no_other_slice(agents: Cluster) -> None:
    """By the policy: roles cannot say that. A token of a pod names its node, and this one names none."""
    name = f"{next(iter(agents.nodes))}-{DOMAIN}"
    found = agents.control.get("resourceslice", name)
    found["spec"]["pool"]["generation"] += 1
    user = "--as=system:serviceaccount:hybrid-runtime:hybrid-kubernetes-agent"
    said = agents.control.kubectl("replace", user, "-f", "-", stdin=json.dumps(found), check=False)
    assert "the slice is of another node than the agent" in said
    said = agents.control.kubectl("delete", user, "resourceslice", name, check=False)
    assert "cannot delete resource" in said


def test_why_a_core_is_unhealthy(clean: Cluster) -> None:
    """In the status of the pod that has it. Here the runtime of the node cannot be called for a while."""
    clean.apply(claim_template("motor", attribute("name", clean.cores[0])), pod("steady", MOTOR, "motor"))
    clean.await_running("steady")
    node = clean.nodes[clean.pod("steady")["spec"]["nodeName"]]

    def health() -> dict[str, str]:
        status = clean.pod("steady")["status"]["containerStatuses"][0]
        found: dict[str, str] = status["allocatedResourcesStatus"][0]["resources"][0]
        return found

    program = node.shell.run("command -v hybrid-runtime").stdout.strip()
    node.shell.run(["mv", program, f"{program}.away"])
    try:
        clean.await_that("the core is unhealthy", lambda: health()["health"] == "Unhealthy")
        assert "`chroot` ended with 127" in health()["message"]
    finally:
        node.shell.run(["mv", f"{program}.away", program])
    clean.await_that("it is healthy again", lambda: health()["health"] == "Healthy")
    assert clean.phase("steady") == "Running"


def test_a_core_that_does_not_stop(clean: Cluster) -> None:
    """Its pod waits, and an event says why, once the kubelet's first attempt to end it has failed. The refusal is
    planted by strace(1) into the write(2) to the real core's `state`, and the kernel has no device by which it would
    stop the core with its supervisor."""
    name, node = next(iter(clean.nodes.items()))
    entry = next(found for found in node.runtime.processors() if found["name"] == clean.cores[0])
    device, state = entry["device"], f"{entry['path']}/state"
    program = node.shell.run("command -v hybrid-runtime").stdout.strip()
    wanted = f"{attribute('name', clean.cores[0])}"
    clean.apply(claim_template("motor", wanted), on_node(pod("stubborn", MOTOR, "motor"), name))
    with Linux(node.shell).without(device), stubborn_verbs(node.shell, program, state):
        clean.await_running("stubborn")
        (container,) = json.loads(node.runtime.run("--root", ROOT, "list", "-f", "json").stdout)
        with refusing(node.shell, state, "EBUSY", container["pid"]):
            clean.control.kubectl("delete", "pod", "stubborn", "--grace-period=5", "--wait=false")
            clean.await_that("an event says why", lambda: any(SAYS in said for said in clean.events_of("stubborn")))
        assert clean.control.get("pods")["items"]
    clean.await_that("the pod goes", lambda: not clean.control.get("pods")["items"])


def on_node(made: dict[str, Any], node: str) -> dict[str, Any]:
    made["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    return made


@contextmanager
def stubborn_verbs(shell: Shell, program: str, state: str) -> Iterator[None]:
    """Whoever kills or deletes a container finds that its core does not stop."""
    script = f"""#!/bin/sh
for word in "$@"; do
    case $word in
        kill | delete) exec {strace(state, "EBUSY")} {program}.real "$@" ;;
        create | start | state) break ;;
    esac
done
exec {program}.real "$@"
"""
    shell.run(["mv", program, f"{program}.real"])
    shell.put(script.encode(), program, 0o755)
    try:
        yield
    finally:
        shell.run(["mv", f"{program}.real", program])


def test_an_agent_that_comes_back(clean: Cluster) -> None:
    """Its pod is deleted: what runs goes on, and what ends meanwhile frees its core."""
    clean.apply(claim_template("motor", attribute("name", clean.cores[0])), pod("steady", MOTOR, "motor"))
    clean.await_running("steady")
    clean.control.kubectl("delete", "pod", "-n", "hybrid-runtime", "--all", "--wait=false")
    clean.control.kubectl("delete", "pod", "steady", "--grace-period=5", "--wait=false")
    clean.await_that("its claim is gone", lambda: not clean.control.get("resourceclaims")["items"])
    clean.apply(pod("next", MOTOR, "motor"))
    clean.await_running("next")
