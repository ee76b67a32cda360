"""Kubernetes without Kubernetes: what a kubelet asks of containerd and CRI-O, for a pod with firmware."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from hybrid_hil.shell.forwarding import forwarded_socket
from tests.engines.cri import CRI, NODE, STATES, CRIError
from tests.engines.daemon import CONTAINERD_SOCKET, Daemon
from tests.engines.firmware_image import archive
from tests.engines.pause import PAUSE, pause, with_pause
from tests.engines.record import CRIO
from tests.engines.version import version_of
from tests.linux import Linux

PROOF_S = 30.0
IMAGE = "localhost/motor:latest"
FILE = "/tmp/image.tar"
HANDLER = "hybrid-runtime"
LOGS = "/var/log/pods/motor"
CONFIGURATION = "/etc/containerd/config.toml"
SANDBOX_SETTINGS = "/etc/hybrid-runtime/config.json"
ROOT = "/run/containerd/runc/k8s.io"
CRIO_SOCKET = "/var/run/crio/crio.sock"
CRIO_SETTINGS = "/etc/crio/crio.conf.d/board.conf"
CRIO_ON_THE_BOARD = f"""\
[crio.image]
pause_image = "{PAUSE}"
pause_command = ""
[crio.runtime]
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
"""
ONLY_CONTAINERD = pytest.mark.parametrize(
    "kubelet", [pytest.param("containerd", marks=pytest.mark.engine("containerd"))], indirect=True
)


@dataclass(frozen=True)
class Kubelet:
    """What it is given of an engine: the socket, and a command that brings an image from a file."""

    socket: str
    load_command: str

    def load(self, shell: Shell, content: bytes) -> None:
        shell.put(content, FILE)
        shell.run(f"{self.load_command} {FILE} && rm {FILE}", deadline=Deadline(120.0))


@pytest.fixture
def containerd_for_pods(shell: Shell, runtime: DeployedRuntime, containerd: Daemon) -> Kubelet:
    """Told of the runtime as docs/engines.md has it, and of a pause image that needs no network."""
    kubelet = Kubelet(CONTAINERD_SOCKET, "ctr -n k8s.io images import")
    if "wrote" in runtime.run("install", "containerd").stdout:
        shell.put(with_pause(shell.get(CONFIGURATION).decode()).encode(), CONFIGURATION)
        containerd.kill("TERM")
        containerd.ensure()
        kubelet.load(shell, pause(shell))
    assert containerd.serves()
    return kubelet


@pytest.fixture
def crio_for_pods(
    shell: Shell, runtime: DeployedRuntime, record_testsuite_property: Callable[[str, object], None]
) -> Kubelet:
    """The same of CRI-O, whose images are those of podman."""
    kubelet = Kubelet(CRIO_SOCKET, "podman load --input")
    if "wrote" in runtime.run("install", "crio").stdout:
        shell.put(CRIO_ON_THE_BOARD.encode(), CRIO_SETTINGS)
        kubelet.load(shell, pause(shell))
    Daemon(shell, "crio", "crio", "crio status info").ensure()
    version = re.search(r"crio version (\S+)", shell.run("crio --version").stdout)
    assert version
    record_testsuite_property(CRIO, version[1])
    return kubelet


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.engine(name)) for name in ("containerd", "crio")])
def kubelet(request: pytest.FixtureRequest) -> Kubelet:
    found: Kubelet = request.getfixturevalue(f"{request.param}_for_pods")
    return found


@pytest.fixture
def cri(shell: Shell, kubelet: Kubelet) -> Iterator[CRI]:
    with forwarded_socket(shell, kubelet.socket) as socket, CRI(Path(socket)) as client:
        yield client


@dataclass
class Pod:
    """A sandbox with at most one container in it."""

    cri: CRI
    shell: Shell
    sandbox: str
    config: dict[str, Any]
    container: str = ""
    removed: bool = False

    def start(self) -> None:
        config = {"metadata": {"name": "motor"}, "image": {"image": IMAGE}, "log_path": "motor.log"}
        answer = self.cri.call(
            "CreateContainer", pod_sandbox_id=self.sandbox, config=config, sandbox_config=self.config
        )
        self.container = answer["container_id"]
        self.cri.call("StartContainer", container_id=self.container)

    def status(self) -> tuple[str, int]:
        found = self.cri.call("ContainerStatus", container_id=self.container)["status"]
        return STATES[found["state"]], found["exit_code"]

    def wait_for(self, state: str) -> None:
        for _ in Deadline(PROOF_S).ticks(0.2):
            if self.status()[0] == state:
                return
        raise AssertionError(self.status())

    def log(self) -> list[str]:
        """What the kubelet would show: the file without its columns (CRI: time, stream, tag, text)."""
        lines = self.shell.run(["cat", f"{LOGS}/motor.log"]).stdout.splitlines()
        return [line.split(" ", 3)[3] for line in lines]

    def remove(self) -> None:
        self.cri.call("StopPodSandbox", pod_sandbox_id=self.sandbox)
        self.cri.call("RemovePodSandbox", pod_sandbox_id=self.sandbox)
        self.removed = True


PodMaker = Callable[..., Pod]


def sandbox(name: str, processor: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": f"uid-of-{name}", "namespace": "default"},
        "log_directory": LOGS,
        "annotations": {"remoteproc.name": processor, "other": "kept to itself"},
        "linux": {"security_context": {"namespace_options": {"network": NODE}}},
    }


@pytest.fixture
def make_pod(cri: CRI, kubelet: Kubelet, shell: Shell) -> Iterator[PodMaker]:
    made: list[Pod] = []

    def make(firmware: BuiltFirmware, name: str = "motor", processor: str = "") -> Pod:
        kubelet.load(shell, archive(IMAGE, "/fw.elf", shell.get(firmware.path_on_board), ["/fw.elf"]))
        config = sandbox(name, processor or firmware.processor)
        answer = cri.call("RunPodSandbox", config=config, runtime_handler=HANDLER)
        made.append(Pod(cri, shell, answer["pod_sandbox_id"], config))
        return made[-1]

    yield make
    for pod in made:
        if not pod.removed:
            pod.remove()


def test_life_of_a_pod(make_pod: PodMaker, firmware: FirmwareMaker, witness: Witness, linux: Linux) -> None:
    heartbeat = firmware("heartbeat")
    pod = make_pod(heartbeat)
    pod.start()
    witness.started(heartbeat, Deadline(PROOF_S))
    assert pod.status() == ("running", 0)
    for _ in Deadline(PROOF_S).ticks(0.2):
        if any(heartbeat.nonce in line for line in pod.log()):
            break
    witness.logged(pod.log(), heartbeat)
    pod.cri.call("StopContainer", container_id=pod.container, timeout=10)
    witness.silent(heartbeat)
    assert pod.status() == ("exited", 0)
    pod.cri.call("RemoveContainer", container_id=pod.container)
    pod.remove()
    linux.assert_untouched()


@pytest.mark.engine("podman")
@ONLY_CONTAINERD
@pytest.mark.parametrize("program", ["crun", "runc"])
def test_who_holds_the_sandbox(
    make_pod: PodMaker, firmware: FirmwareMaker, witness: Witness, linux: Linux, shell: Shell, program: str
) -> None:
    """Named in the runtime's settings; podman brings crun, containerd runc."""
    shell.put(json.dumps({"sandbox-runtime": f"/usr/bin/{program}"}).encode(), SANDBOX_SETTINGS)
    try:
        heartbeat = firmware("heartbeat")
        pod = make_pod(heartbeat)
        for holder in (program, "hybrid-runtime"):
            state = json.loads(shell.run(f"{holder} --root {ROOT} state {pod.sandbox}").stdout)
            assert state["status"] == "running"
        # Whom a sandbox belongs to is known by its folder, whatever the settings are by then.
        shell.run(["rm", SANDBOX_SETTINGS])
        pod.start()
        witness.started(heartbeat, Deadline(PROOF_S))
        pod.remove()
        witness.silent(heartbeat)
        linux.assert_untouched()
    finally:
        shell.run(["rm", "-f", SANDBOX_SETTINGS])


def test_crash_of_a_pod(make_pod: PodMaker, firmware: FirmwareMaker, witness: Witness, faults: Faults) -> None:
    heartbeat = firmware("heartbeat")
    pod = make_pod(heartbeat)
    pod.start()
    witness.started(heartbeat, Deadline(PROOF_S))
    faults.crash(heartbeat.processor)
    pod.wait_for("exited")
    assert pod.status() == ("exited", 70)


def test_removal_of_a_pod_that_runs(
    make_pod: PodMaker, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    heartbeat = firmware("heartbeat")
    pod = make_pod(heartbeat)
    pod.start()
    witness.started(heartbeat, Deadline(PROOF_S))
    pod.remove()
    witness.silent(heartbeat)
    linux.assert_untouched()


@ONLY_CONTAINERD
def test_a_pod_whose_shim_is_killed(
    make_pod: PodMaker,
    cri: CRI,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    shell: Shell,
    runtime: DeployedRuntime,
) -> None:
    """containerd 1 undoes all of the pod, where that takes no more than five seconds. containerd 2 undoes the sandbox
    alone, and forgets the rest without a word to their runtime."""
    heartbeat = firmware("heartbeat")
    pod = make_pod(heartbeat)
    pod.start()
    witness.started(heartbeat, Deadline(PROOF_S))
    shell.run("kill -KILL $(pidof containerd-shim-runc-v2)")
    titles = "an engine has forgotten a container that runs|the shim of a running container is gone"
    lost = (
        rf"({titles}): `{pod.container}` \(root `{ROOT}`\) on {linux.devices[heartbeat.processor]}\n .* doctor --repair"
    )
    for _ in Deadline(PROOF_S).ticks(1.0):
        told = runtime.run("doctor", check=False).stdout
        runs = linux.attribute(heartbeat.processor, "state") != "offline"
        if re.search(lost, told) or not runs:
            break
    assert runs or version_of(shell, "containerd") < (2, 0)
    if runs:
        assert re.search(lost, told)
        repaired = runtime.run("doctor", "--repair", check=False).stdout
        assert f"stopped container `{pod.container}`" in repaired or version_of(shell, "containerd") < (2, 0)
    witness.silent(heartbeat)
    pod.wait_for("exited")
    for verb in ("StopPodSandbox", "RemovePodSandbox"):
        cri.call(verb, pod_sandbox_id=pod.sandbox)
    pod.removed = True
    linux.assert_untouched()


def test_wrong_processor(make_pod: PodMaker, firmware: FirmwareMaker, linux: Linux) -> None:
    pod = make_pod(firmware("hello"), processor="none.such")
    with pytest.raises(CRIError, match=r"none\.such"):
        pod.start()
    assert set(linux.devices) > set()


def test_exec_into_firmware(make_pod: PodMaker, firmware: FirmwareMaker, witness: Witness) -> None:
    hello = firmware("hello")
    pod = make_pod(hello)
    pod.start()
    witness.started(hello, Deadline(PROOF_S))
    with pytest.raises(CRIError, match="a core runs one firmware"):
        pod.cri.call("ExecSync", container_id=pod.container, cmd=["true"], timeout=10)
