"""What engines say of the pod that a container is in, and what is told to whoever wants its processor."""

import json
from pathlib import Path

import pytest

from hybrid_runtime.bundle.annotations import is_in_pod, is_sandbox
from hybrid_runtime.bundle.pod import PodContainer
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

CONTAINERD = {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-namespace": "factory",
    "io.kubernetes.cri.sandbox-name": "motor-7d9f",
    "io.kubernetes.cri.container-name": "motor",
}
CRIO = {
    "io.kubernetes.cri-o.ContainerType": "container",
    "io.kubernetes.pod.namespace": "factory",
    "io.kubernetes.pod.name": "motor-7d9f",
    "io.kubernetes.container.name": "motor",
}


@pytest.mark.parametrize("annotations", [CONTAINERD, CRIO], ids=["containerd", "cri-o"])
def test_names_of_a_pod(annotations: dict[str, str]) -> None:
    found = PodContainer(dict(annotations))
    assert (found.namespace, found.pod, found.container) == ("factory", "motor-7d9f", "motor")
    assert is_in_pod(annotations)
    assert not is_sandbox(annotations)


@pytest.mark.parametrize("name", ["-n", "a b", "$(reboot)", "UPPER", "x" * 254, "", 3, None])
def test_names_that_no_cluster_takes(name: object) -> None:
    assert PodContainer({"io.kubernetes.pod.name": name}).pod == ""


@pytest.mark.parametrize("annotations", [CONTAINERD, CRIO], ids=["containerd", "cri-o"])
def test_the_holder_in_the_words_of_a_cluster(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, annotations: dict[str, str]
) -> None:
    command.run("create", "--bundle", write_bundle(tmp_path / "pod", firmware, annotations=annotations), "1ec86f")
    refused = command.run("create", firmware, "second", code=1).stderr
    assert f"({core.device})" in refused
    assert "is held by `motor` of the pod `factory/motor-7d9f`, container `1ec86f`" in refused
    assert "`kubectl delete pod --namespace factory motor-7d9f` frees the processor" in refused
    assert " kill 1ec86f" not in refused


def test_a_holder_whose_configuration_says_nothing(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    command.run("create", firmware, "motor")
    path = double.root / "motor/config.json"
    for content in ("[", json.dumps({"annotations": [1]}), json.dumps({"annotations": {"io.kubernetes.pod.name": 1}})):
        path.write_text(content)
        assert "is held by container `motor`" in command.run("create", firmware, "second", code=1).stderr
    assert core.state == "offline"
