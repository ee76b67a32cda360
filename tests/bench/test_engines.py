"""What an engine's user waits for: firmware beside a Linux container of the engine's own runtime, on one board."""

import json
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.bench.measured import Note, ratio_row
from tests.engines.daemon import CONTAINERD_SOCKET, Daemon
from tests.engines.engine import NAMING, Engine

SCRIPT = "/tmp/bench/engine_on_board.py"
# What each takes by itself.
REFERENCE = {"podman": "crun", "docker": "runc"}
PATIENCE_S = 3600.0
# Answers SIGTERM at once, as a well-behaved program does.
PROGRAM = ["/busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do /busybox sleep 60 & wait $!; done"]


@pytest.fixture
def podman(shell: Shell, runtime: DeployedRuntime) -> Engine:
    runtime.run("install", "podman")
    return Engine("podman", shell)


@pytest.fixture
def docker(shell: Shell, runtime: DeployedRuntime) -> Engine:
    Daemon(shell, "containerd", "containerd", "ctr version").ensure()
    runtime.run("install", "docker")
    Daemon(shell, "dockerd", f"dockerd --containerd {CONTAINERD_SOCKET}", "docker version").ensure()
    return Engine("docker", shell)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.engine(name)) for name in NAMING])
def test_lives(
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
    shell: Shell,
    firmware: FirmwareMaker,
    note: Note,
    name: str,
) -> None:
    """Told, not judged: an engine's own work is the most of it, and nobody has promised a number."""
    engine: Engine = request.getfixturevalue(name)
    silent = firmware("silent")
    images = engine.image_of(silent), engine.image("/busybox", shell.get("/bin/busybox"), PROGRAM)
    shell.put(Path(__file__).with_name("engine_on_board.py"), SCRIPT)
    count = str(pytestconfig.getoption("--engine-rounds"))
    words = ["python3", SCRIPT, name, REFERENCE[name], *images, *NAMING[name](silent.processor), count]
    found = json.loads(shell.run(words, deadline=Deadline(PATIENCE_S)).stdout)
    for verb, samples in found.items():
        title = f"{name} {verb}: firmware, of a Linux container with {REFERENCE[name]}"
        note(ratio_row(title, samples["firmware"], samples["linux"], None))
    engine.remove_everything()
