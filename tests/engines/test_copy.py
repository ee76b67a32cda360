"""`podman cp` and `docker cp` reach the container's image, and nothing of the board."""

from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.shell import Shell
from tests.engines.engine import FIRMWARE, Engine

PRECIOUS = "/etc/precious.conf"


def test_out_of_a_running_container(engine: Engine, heartbeat: BuiltFirmware, shell: Shell, witness: Witness) -> None:
    engine.call("cp", f"motor:{FIRMWARE}", "/tmp/copied")
    shell.run(["cmp", "/tmp/copied", heartbeat.path_on_board])
    refused = engine.call("cp", "motor:/etc/passwd", "/tmp/stolen", check=False)
    assert refused.exit_status != 0
    assert shell.run(["test", "-e", "/tmp/stolen"], check=False).exit_status == 1
    shell.run(["rm", "/tmp/copied"])
    engine.call("stop", "motor")
    witness.silent(heartbeat)


def test_into_a_running_container(engine: Engine, heartbeat: BuiltFirmware, shell: Shell, witness: Witness) -> None:
    """podman meets a read-only root. Docker writes into the layer that it keeps for the container."""
    shell.run(f"echo board > {PRECIOUS}; echo stranger > /tmp/new")
    engine.call("cp", "/tmp/new", f"motor:{PRECIOUS}", check=False)
    copied = engine.call("cp", "/tmp/new", "motor:/new", check=False)
    assert (copied.exit_status == 0) == (engine.name == "docker")
    assert shell.run(["cat", PRECIOUS]).stdout == "board\n"
    assert shell.run(["test", "-e", "/new"], check=False).exit_status == 1
    shell.run(["rm", PRECIOUS, "/tmp/new"])
    engine.call("stop", "motor")
    witness.silent(heartbeat)


def test_by_the_process(engine: Engine, heartbeat: BuiltFirmware, shell: Shell, witness: Witness) -> None:
    pid = engine.inspect("motor")["State"]["Pid"]
    assert FIRMWARE.strip("/") in shell.run(["ls", f"/proc/{pid}/root"]).stdout.split()
    assert shell.run(["test", "-e", f"/proc/{pid}/root/etc/passwd"], check=False).exit_status == 1
    assert len(shell.run(["cat", f"/proc/{pid}/mounts"]).stdout.splitlines()) == 1
    engine.call("stop", "motor")
    witness.silent(heartbeat)
