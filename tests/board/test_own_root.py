"""The kernel's own word on what a supervisor's mount namespace and root hold."""

import json

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell

PROOF_S = 10.0
# By the way of `podman cp`: root and working folder are then those of the namespace.
JOIN = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.setns(os.open(f"/proc/{sys.argv[1]}/ns/mnt", os.O_RDONLY), 0x20000):
    raise OSError(ctypes.get_errno(), "setns")
print(os.listdir("/"), os.listdir("."))
try:
    os.mkdir("/new")
except OSError as error:
    print(error.strerror)
"""


def test_an_empty_read_only_root(
    shell: Shell, runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness
) -> None:
    heartbeat = firmware("heartbeat")
    runtime.create("motor", heartbeat)
    runtime.start("motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    pid = json.loads(runtime.run("state", "motor").stdout)["pid"]
    shell.put(JOIN.encode(), "/tmp/join.py")
    found = shell.run(["python3", "-IS", "/tmp/join.py", str(pid)]).stdout.splitlines()
    assert found == ["[] []", "Read-only file system"]
    assert shell.run(["ls", "-A", f"/proc/{pid}/root"]).stdout == ""
    assert len(shell.run(["cat", f"/proc/{pid}/mounts"]).stdout.splitlines()) == 1
    # The core is followed all the same, and stopped.
    witness.beating(heartbeat, Deadline(PROOF_S))
    runtime.run("kill", "motor")
    witness.silent(heartbeat)
    runtime.delete("motor")
    shell.run(["rm", "/tmp/join.py"])
