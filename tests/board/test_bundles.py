"""Bundles as engines write them: hooks, networks and control groups of a real kernel, with firmware on a real core."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Linux, WaitForStatus

PROOF_S = 10.0
FOLDER = "/tmp/bundle"
ROOTFS = f"{FOLDER}/rootfs"
KINDS = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")

BundleMaker = Callable[..., None]


@pytest.fixture
def write_bundle(shell: Shell) -> Iterator[BundleMaker]:
    """Makes the bundle of a firmware on the board, with a shell in its root file system for hooks."""
    shell.run(f"mkdir -p {ROOTFS}/bin && cp /bin/busybox {ROOTFS}/bin/ && ln -sf busybox {ROOTFS}/bin/sh")

    def write(firmware: BuiltFirmware, **changes: object) -> None:
        shell.run(["cp", firmware.path_on_board, f"{ROOTFS}/fw.elf"])
        config = {
            "ociVersion": "1.0.2",
            "root": {"path": "rootfs"},
            "process": {"cwd": "/", "args": ["/fw.elf"]},
            "annotations": {"remoteproc.name": firmware.processor},
            **changes,
        }
        shell.put(json.dumps(config).encode(), f"{FOLDER}/config.json")

    yield write
    shell.run(["rm", "-rf", FOLDER])


def network_of(shell: Shell, pid: object) -> str:
    return shell.run(["readlink", f"/proc/{pid}/ns/net"]).stdout.strip()


def run_through(runtime: DeployedRuntime, wait_for_status: WaitForStatus, container: str) -> None:
    runtime.kill(container)
    wait_for_status(container, "stopped")
    runtime.delete(container)


def test_hooks_run_in_order_and_in_their_place(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    write_bundle: BundleMaker,
    wait_for_status: WaitForStatus,
) -> None:
    hello = firmware("hello")

    def hook(kind: str) -> dict[str, Any]:
        script = f'echo "{kind} $(busybox readlink /proc/self/ns/net) $(busybox cat)" >> {ROOTFS}/record'
        return {"path": f"{ROOTFS}/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin"], "timeout": 20}

    hooks = {kind: [hook(kind)] for kind in KINDS}
    write_bundle(hello, hooks=hooks, linux={"namespaces": [{"type": "network"}]})
    runtime.run("create", "--bundle", FOLDER, "hooked")
    supervisor = network_of(shell, runtime.state("hooked")["pid"])
    runtime.start("hooked")
    witness.started(hello, Deadline(PROOF_S))
    run_through(runtime, wait_for_status, "hooked")
    machine = network_of(shell, 1)
    assert supervisor != machine
    lines = [line.split(" ", 2) for line in shell.run(["cat", f"{ROOTFS}/record"]).stdout.splitlines()]
    assert [(kind, network, json.loads(state)["status"]) for kind, network, state in lines] == [
        ("prestart", machine, "creating"),
        ("createRuntime", machine, "creating"),
        ("createContainer", supervisor, "creating"),
        ("poststart", machine, "running"),
        ("poststop", machine, "stopped"),
    ]
    linux.assert_untouched()


def test_a_program_of_the_image_is_never_run(
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    write_bundle: BundleMaker,
) -> None:
    hello = firmware("hello")
    write_bundle(hello, hooks={"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "> /record"]}]})
    outcome = runtime.run("create", "--bundle", FOLDER, "hooked", check=False)
    assert outcome.exit_status == 1
    assert "hooks.startContainer would run the program `/bin/sh` of the firmware image" in outcome.stderr
    assert shell.run(["test", "-e", f"{ROOTFS}/record"], check=False).exit_status == 1
    witness.silent(hello)
    linux.assert_untouched()
    assert shell.run(["pidof", "hybrid-runtime"], check=False).exit_status != 0


def test_a_failing_poststart_hook_stops_the_core(
    runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness, linux: Linux, write_bundle: BundleMaker
) -> None:
    heartbeat = firmware("heartbeat")
    failing = {"path": f"{ROOTFS}/bin/sh", "args": ["sh", "-c", "exit 1"]}
    write_bundle(heartbeat, hooks={"poststart": [failing]})
    runtime.run("create", "--bundle", FOLDER, "hooked")
    assert runtime.start("hooked", check=False).exit_status == 1
    witness.started(heartbeat, Deadline(PROOF_S))
    witness.silent(heartbeat)
    linux.assert_untouched()


def test_a_control_group_is_joined_and_given_back(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    write_bundle: BundleMaker,
    wait_for_status: WaitForStatus,
) -> None:
    shell.run("mkdir -p /sys/fs/cgroup/engine")
    try:
        write_bundle(firmware("hello"), linux={"cgroupsPath": "/engine/pod/one"})
        for end in ("kill", "kill -9", "delete --force"):
            runtime.run("create", "--bundle", FOLDER, "grouped")
            runtime.start("grouped")
            pid = runtime.state("grouped")["pid"]
            assert shell.run(["cat", f"/proc/{pid}/cgroup"]).stdout == "0::/engine/pod/one\n"
            assert int(shell.run("cat /sys/fs/cgroup/engine/pod/one/memory.current").stdout) > 0
            if end == "kill":
                run_through(runtime, wait_for_status, "grouped")
            elif end == "kill -9":
                shell.run(["kill", "-9", str(pid)])
                wait_for_status("grouped", "stopped")
                runtime.delete("grouped")
            else:
                runtime.delete("grouped", force=True)
            left = shell.run("find /sys/fs/cgroup/engine -mindepth 1 -type d").stdout
            assert left == "", end
            linux.assert_untouched()
    finally:
        shell.run("rmdir /sys/fs/cgroup/engine")


def test_a_core_is_started_from_another_network(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    write_bundle: BundleMaker,
    wait_for_status: WaitForStatus,
) -> None:
    """As of a pod: its sandbox holds the network, the container joins it by path."""
    sandbox = shell.run("unshare -n sleep 1000 >/dev/null 2>&1 & echo $!").stdout.strip()
    try:
        hello = firmware("hello")
        write_bundle(hello, linux={"namespaces": [{"type": "network", "path": f"/proc/{sandbox}/ns/net"}]})
        runtime.run("create", "--bundle", FOLDER, "podded")
        assert network_of(shell, runtime.state("podded")["pid"]) == network_of(shell, sandbox) != network_of(shell, 1)
        runtime.start("podded")
        witness.started(hello, Deadline(PROOF_S))
        run_through(runtime, wait_for_status, "podded")
    finally:
        shell.run(["kill", sandbox])
    linux.assert_untouched()
