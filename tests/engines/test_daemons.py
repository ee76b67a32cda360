"""podman's monitor and Docker's daemon die or are replaced, and the firmware goes on; health checks nobody can run."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.daemon import Daemon
from tests.engines.engine import Engine
from tests.linux import Linux

PROOF_S = 30.0
SETTINGS = "/etc/docker/daemon.json"


@pytest.mark.parametrize("engine", [pytest.param("podman", marks=pytest.mark.engine("podman"))], indirect=True)
def test_death_of_conmon(
    engine: Engine,
    shell: Shell,
    runtime: DeployedRuntime,
    heartbeat: BuiltFirmware,
    witness: Witness,
    linux: Linux,
) -> None:
    """Nobody reads what the firmware prints, and nobody hears the supervisor's end; the core still goes off."""
    shell.run("kill -9 $(pidof conmon)")
    witness.beating(heartbeat, Deadline(PROOF_S), count=20)
    # podman 5.4 gives up once, also with crun: it misses the exit code that conmon would have kept.
    first = engine.call("rm", "--force", "motor", check=False)
    if first.exit_status:
        assert "conmon exited prematurely" in first.stderr
        engine.call("rm", "--force", "motor")
    witness.silent(heartbeat)
    # podman 4 then asks no runtime to delete, crun neither: the record of what has stopped is left.
    for container in linux.containers():
        assert runtime.state(container)["status"] == "stopped"
        runtime.delete(container)
    linux.assert_untouched()


@pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.engine("docker"))], indirect=True)
@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_containers_outlive_dockerd(
    engine: Engine,
    dockerd: Daemon,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    signal: str,
) -> None:
    """As at an upgrade of Docker, with its setting `live-restore`."""
    with dockerd.with_settings(SETTINGS, {"live-restore": True}):
        heartbeat = firmware("heartbeat")
        engine.run("motor", engine.image_of(heartbeat), processor=heartbeat.processor)
        start = witness.started(heartbeat, Deadline(PROOF_S))
        dockerd.kill(signal)
        witness.beating(heartbeat, Deadline(PROOF_S))
        dockerd.ensure()
        assert engine.state("motor") == ("running", 0)
        assert witness.started(heartbeat, Deadline(PROOF_S), since=0) == start
        engine.call("stop", "motor")
        witness.silent(heartbeat)
        assert engine.state("motor") == ("exited", 0)
        engine.call("rm", "motor")
        linux.assert_untouched()


def test_a_health_check_is_never_healthy(
    engine: Engine, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """It is a program executed inside, and a core executes one firmware: it fails, and the container goes on."""
    heartbeat = firmware("heartbeat")
    options = ("--health-cmd", "true", "--health-interval", "1s", "--health-retries", "1")
    if engine.name == "podman":
        # Intervals are timers of systemd, which the board has not.
        options = ("--health-cmd", "true", "--health-interval", "disable", "--health-retries", "1")
    engine.run("motor", engine.image_of(heartbeat), *options, processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    if engine.name == "podman":
        checked = engine.call("healthcheck", "run", "motor", check=False)
        assert checked.exit_status != 0
    else:
        engine.wait_for("motor", lambda found: found["State"]["Health"]["Status"] == "unhealthy", 60.0)
    assert engine.state("motor")[0] == "running"
    witness.beating(heartbeat, Deadline(PROOF_S))
    engine.call("rm", "--force", "motor")
    linux.assert_untouched()
