"""The files users apply to an engine themselves: held against Kubernetes' own schema, and against each other."""

import configparser
import json
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

ENGINES = Path(__file__).resolve().parents[3] / "runtime/engines"
HANDLER = "hybrid-runtime"
# The oldest that is still supported by its makers, and the newest the schemas know.
VERSIONS = ("1.33", kubernetes_validate.latest_version())
WORKLOADS = ("deployment", "daemonset")
# podman-systemd.unit(5), section [Container].
QUADLET_KEYS = {"Image", "Annotation", "Network", "GlobalArgs"}


def document(path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ENGINES / path).read_text())
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", sorted(path.name for path in (ENGINES / "kubernetes").iterdir()))
def test_kubernetes_takes_it(file: str, version: str) -> None:
    kubernetes_validate.validate(document(f"kubernetes/{file}"), version, strict=True)


def test_what_kubernetes_does_not_take_is_seen() -> None:
    pod = document("kubernetes/pod.yaml")
    pod["spec"]["runtimeclassname"] = pod["spec"].pop("runtimeClassName")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, VERSIONS[0], strict=True)


def test_pods_name_the_class_and_the_class_names_what_the_nodes_know() -> None:
    runtime_class = document("kubernetes/runtimeclass.yaml")
    assert runtime_class["handler"] == HANDLER
    pods = [document("kubernetes/pod.yaml")]
    pods += [document(f"kubernetes/{name}.yaml")["spec"]["template"] for name in WORKLOADS]
    for pod in pods:
        assert pod["spec"]["runtimeClassName"] == runtime_class["metadata"]["name"]
    assert pods[0]["metadata"]["annotations"]["remoteproc.name"]
    # podman's `kube play` drops annotations of a template.
    for template in pods[1:]:
        (container,) = template["spec"]["containers"]
        assert [variable["name"] for variable in container["env"]] == ["REMOTEPROC_NAME"]
    crio = tomllib.loads((ENGINES / "crio/hybrid-runtime.conf").read_text())
    assert list(crio["crio"]["runtime"]["runtimes"]) == [HANDLER]


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_selects_its_own_pods(name: str) -> None:
    spec = document(f"kubernetes/{name}.yaml")["spec"]
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_no_two_pods_ever_want_one_core() -> None:
    assert document("kubernetes/deployment.yaml")["spec"]["strategy"] == {"type": "Recreate"}
    update = document("kubernetes/daemonset.yaml")["spec"]["updateStrategy"]
    assert update["rollingUpdate"]["maxSurge"] == 0


def test_compose_names_the_runtime_that_docker_is_told_of() -> None:
    known = json.loads((ENGINES / "docker/daemon.json").read_text())["runtimes"]
    services = document("docker/compose.yaml")["services"]
    assert {service["runtime"] for service in services.values()} == set(known)
    processors = [service["environment"]["REMOTEPROC_NAME"] for service in services.values()]
    assert len(set(processors)) == len(processors)


def test_the_quadlet_unit_has_only_keys_that_quadlet_knows() -> None:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ENGINES / "podman/motor.container")
    assert unit.sections() == ["Unit", "Container", "Service", "Install"]
    assert set(unit["Container"]) == QUADLET_KEYS
    assert unit["Container"]["GlobalArgs"] == f"--runtime={HANDLER}"
