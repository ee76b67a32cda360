"""What engines tell of a container's life, and what they refuse with our reason."""

import json

import pytest

from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from tests.engines.engine import Engine
from tests.linux import Linux

TELLS_S = 30.0


def events(engine: Engine) -> list[tuple[str, str]]:
    """Of the container `motor`, with their exit codes."""
    # The last words of the command: both engines then end at the newest event.
    until = ("--stream=false",) if engine.name == "podman" else ("--until", "0s")
    # Docker 20.10 does not know the word alone.
    form = "json" if engine.name == "podman" else "{{json .}}"
    words = ("--since", "10m", *until, "--filter", "container=motor", "--format", form)
    told = [json.loads(line) for line in engine.call("events", *words).stdout.splitlines()]
    if engine.name == "podman":
        return [(event["Status"], str(event.get("ContainerExitCode", ""))) for event in told]
    return [(event["Action"], event["Actor"]["Attributes"].get("exitCode", "")) for event in told]


def test_events_tell_of_a_crash(engine: Engine, heartbeat: BuiltFirmware, faults: Faults, linux: Linux) -> None:
    faults.crash(heartbeat.processor)
    engine.wait_for("motor", lambda found: found["State"]["Status"] == "exited", TELLS_S)
    names = [name for name, _ in events(engine)]
    for name in ("create", "start"):
        assert name in names
    assert ("died" if engine.name == "podman" else "die", "70") in events(engine)
    engine.call("rm", "motor")
    linux.assert_untouched()


@pytest.mark.usefixtures("heartbeat")
@pytest.mark.parametrize("engine", [pytest.param("podman", marks=pytest.mark.engine("podman"))], indirect=True)
def test_a_core_has_no_checkpoint(engine: Engine, linux: Linux) -> None:
    refused = engine.call("container", "checkpoint", "motor", check=False)
    assert refused.exit_status != 0
    assert engine.state("motor")[0] == "running"
    engine.call("rm", "--force", "motor")
    linux.assert_untouched()
