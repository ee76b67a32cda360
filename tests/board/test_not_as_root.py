"""A service user with the permissions of runtime/system runs firmware, beside root and instead of it."""

import json
from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Completed, Shell
from tests.linux import Linux
from tests.service_account import CLAIMS, FIRMWARE, USER, service_account
from tests.system_files import rule_commands

PROOF_S = 10.0


class ServiceUser:
    """The runtime as that user calls it."""

    def __init__(self, shell: Shell, command: str) -> None:
        self.shell = shell
        self.command = command

    def run(self, words: str, *, check: bool = True) -> Completed:
        return self.shell.run(f"su -s /bin/sh -c '{self.command} {words}' {USER}", check=check)


@pytest.fixture
def user(shell: Shell, runtime: DeployedRuntime, linux: Linux) -> Iterator[ServiceUser]:
    with service_account(shell, linux):
        yield ServiceUser(shell, runtime.command)


def test_nobody_may_without_the_permissions(shell: Shell, runtime: DeployedRuntime, firmware: FirmwareMaker) -> None:
    """What the next test is allowed is not allowed to everybody."""
    hello = firmware("hello")
    create = f"{runtime.command} --processor {hello.processor} create {hello.path_on_board} x"
    refused = shell.run(f"su -s /bin/sh -c '{create}' nobody", check=False)
    assert refused.exit_status == 1
    assert "call as root, or as a member of the group" in refused.stderr
    shell.run("rm -rf /tmp/hybrid-runtime-65534")


def test_the_life_of_a_user_s_container(
    shell: Shell, user: ServiceUser, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    heartbeat = firmware("heartbeat")
    before = linux.attribute(heartbeat.processor, "recovery")
    problems = [entry for entry in json.loads(user.run("doctor -f json").stdout) if entry["level"] == "problem"]
    assert problems == []
    user.run(f"--processor {heartbeat.processor} create {heartbeat.path_on_board} motor")
    user.run("start motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    witness.beating(heartbeat, Deadline(PROOF_S))
    state = json.loads(user.run("state motor").stdout)
    assert state["status"] == "running"
    assert shell.run(f"grep ^Uid: /proc/{state['pid']}/status").stdout.split()[1] == "990"
    assert state["annotations"]["remoteproc.firmware"].startswith(f"{FIRMWARE}/heartbeat.elf-")
    assert "no trace" in user.run("logs motor").stderr
    assert USER in user.run("list").stdout
    user.run("kill motor")
    witness.silent(heartbeat)
    user.run("delete motor")
    assert linux.attribute(heartbeat.processor, "recovery") == before
    assert shell.run(f"ls {FIRMWARE} {CLAIMS}/*.journal 2>/dev/null || true").stdout.split() == [f"{FIRMWARE}:"]


def test_a_user_s_killed_supervisor_stops_the_core(
    shell: Shell, user: ServiceUser, firmware: FirmwareMaker, witness: Witness
) -> None:
    heartbeat = firmware("heartbeat")
    user.run(f"--processor {heartbeat.processor} create {heartbeat.path_on_board} motor")
    user.run("start motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    shell.run(f"kill -9 {json.loads(user.run('state motor').stdout)['pid']}")
    witness.silent(heartbeat)
    # Whom the claim belongs to does not matter to the one who clears up.
    assert "undid container `motor`" in shell.run("hybrid-runtime doctor --repair", check=False).stdout
    user.run("delete motor")


@pytest.mark.nightly
def test_root_and_the_user_take_turns(
    runtime: DeployedRuntime,
    shell: Shell,
    user: ServiceUser,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
) -> None:
    """Claims that one of them has made stay usable for the other, and each sees the other's container."""
    for _ in range(2):
        heartbeat = firmware("heartbeat")
        runtime.create("roots", heartbeat)
        owners = shell.run(f"stat -c '%U:%G %a %n' {CLAIMS}/*").stdout.splitlines()
        assert len(owners) >= 2
        # Each keeps what it has made; the group is let in.
        assert {line.split()[0] for line in owners} <= {f"root:{USER}", f"{USER}:{USER}"}
        assert {line.split()[1] for line in owners} == {"660"}
        assert f"root:{USER} 660 {CLAIMS}/{linux.devices[heartbeat.processor]}.journal" in owners
        refused = user.run(f"--processor {heartbeat.processor} create {heartbeat.path_on_board} motor", check=False)
        assert "is held by container `roots`" in refused.stderr
        # Nor is a folder gone that one may not look into.
        assert "folder is gone" not in user.run("doctor", check=False).stdout
        runtime.start("roots")
        witness.started(heartbeat, Deadline(PROOF_S))
        runtime.delete("roots", force=True)

        heartbeat = firmware("heartbeat")
        user.run(f"--processor {heartbeat.processor} create {heartbeat.path_on_board} motor")
        refused = runtime.create("roots", heartbeat, check=False)
        assert "is held by container `motor` (root `/tmp/hybrid-runtime-990`)" in refused.stderr
        user.run("start motor")
        witness.started(heartbeat, Deadline(PROOF_S))
        user.run("delete --force motor")


# As systemd's User= and AmbientCapabilities= do: CAP_DAC_READ_SEARCH (2) kept over the change of user and the exec.
WITH_CAPABILITY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result: raise OSError(ctypes.get_errno(), "cannot raise the capability")
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP = 8, 47, 2, 2
check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
os.setgroups([990]); os.setresgid(990, 990, 990); os.setresuid(990, 990, 990)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
check(libc.capset(header, (ctypes.c_uint32 * 6)(1 << CAP, 1 << CAP, 1 << CAP, 0, 0, 0)))
check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP, 0, 0))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_the_trace_with_one_capability(
    shell: Shell, runtime: DeployedRuntime, user: ServiceUser, firmware: FirmwareMaker, witness: Witness
) -> None:
    """The files of debugfs are root's, but readable for who may read everything."""
    shell.put(WITH_CAPABILITY.encode(), "/tmp/with-capability.py")
    heartbeat = firmware("heartbeat")
    command = f"python3 /tmp/with-capability.py {runtime.command}"
    found = shell.run(f"{command} doctor").stdout
    assert "ok        debugfs can be read" in found
    assert "ok        who calls: user 990" in found
    shell.run(f"{command} --processor {heartbeat.processor} create {heartbeat.path_on_board} motor")
    shell.run(f"{command} start motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    witness.beating(heartbeat, Deadline(PROOF_S))
    assert f"nonce={heartbeat.nonce}" in user.run("logs motor").stdout
    user.run("delete --force motor")
    shell.run(["rm", "/tmp/with-capability.py"])


@pytest.mark.nightly
@pytest.mark.needs("rpmsg")
def test_a_channel_that_udev_opens_to_the_user(
    shell: Shell, user: ServiceUser, firmware: FirmwareMaker, witness: Witness
) -> None:
    """The terminal of a channel appears with the start, as root's; when its rule has been applied, it is read."""
    echo = firmware("echo")
    options = f"--annotation remoteproc.name={echo.processor} --annotation remoteproc.logs=rpmsg:rpmsg-tty"
    user.run(f"create {options} {echo.path_on_board} motor")
    user.run("start motor")
    witness.started(echo, Deadline(PROOF_S))
    deadline = Deadline(PROOF_S)
    while not (devices := shell.run("cd /dev && echo ttyRPMSG*").stdout.split()) or "*" in devices[0]:
        assert not deadline.expired, "no terminal appeared"
    assert "cannot open `/dev/ttyRPMSG" in _wait_for(user, "cannot open")
    shell.run(" && ".join(command for device in devices for command in rule_commands("tty", device)))
    assert f"{echo.speaker} rpmsg-tty beat=" in _wait_for(user, "rpmsg-tty beat=")
    user.run("delete --force motor")


def _wait_for(user: ServiceUser, words: str) -> str:
    deadline = Deadline(PROOF_S)
    while words not in (found := (logs := user.run("logs motor")).stdout + logs.stderr) and not deadline.expired:
        pass
    return found
