"""What is applied to a cluster: by Kubernetes' own schemas, and by what the agent takes."""

from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from click.testing import CliRunner

from hybrid_hil.host.checkout import checkout_root
from hybrid_kubernetes_agent import VERSION
from hybrid_kubernetes_agent.__main__ import main
from hybrid_kubernetes_agent.dra.resource_slice import DRIVER

DEPLOY = checkout_root() / "runtime/kubernetes-agent/deploy"
CONTAINERFILE = DEPLOY.with_name("Containerfile")
FILES = sorted(path for path in DEPLOY.rglob("*.yaml") if path.name != "kustomization.yaml")
OVERLAYS = sorted(DEPLOY.rglob("kustomization.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_kubernetes_takes_it(path: Path) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def daemon_set() -> dict[str, Any]:
    (found,) = documents(DEPLOY / "base/daemonset.yaml")
    return found


def container() -> dict[str, Any]:
    (found,) = daemon_set()["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_the_agent_takes_its_arguments() -> None:
    """Those of the image, the base and the overlays; --version ends it before it does anything."""
    (entry,) = (line for line in CONTAINERFILE.read_text().splitlines() if line.startswith("ENTRYPOINT"))
    words = yaml.safe_load(entry.removeprefix("ENTRYPOINT"))[1:]
    patches = [line for overlay in OVERLAYS for line in overlay.read_text().splitlines() if "value: --" in line]
    added = [line.partition("value: ")[2] for line in patches]
    assert added == ["--offer=dra"]
    done = CliRunner().invoke(main, [*words, *container()["args"], *added, "--version"])
    assert (done.exit_code, done.output.strip()) == (0, VERSION)


def test_the_image_is_of_this_version() -> None:
    assert container()["image"].endswith(f"/hybrid-kubernetes-agent:{VERSION}")


def test_the_variables_are_those_that_the_agent_reads() -> None:
    known = {option.envvar for option in main.params if getattr(option, "envvar", None)}
    assert {entry["name"] for entry in container()["env"]} <= known


def test_rights() -> None:
    """No more than the agent needs, whatever the image's own user is."""
    context = container()["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["SYS_CHROOT"]}
    assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
    assert daemon_set()["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    (role,) = (found for found in documents(DEPLOY / "dra/account.yaml") if found["kind"] == "ClusterRole")
    verbs = {rule["resources"][0]: rule["verbs"] for rule in role["rules"]}
    assert verbs == {"nodes": ["get"], "resourceclaims": ["get"], "resourceslices": ["get", "create", "update"]}


def test_classes_are_of_the_driver() -> None:
    classes = documents(DEPLOY / "dra/deviceclass.yaml")
    for found in classes:
        (selector,) = found["spec"]["selectors"]
        assert f'device.driver == "{DRIVER}"' in selector["cel"]["expression"]
    assert classes[1]["spec"]["extendedResourceName"] == f"{DRIVER}/r5f"
