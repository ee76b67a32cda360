"""Engines as services of systemd, which gives containers their groups; and what a package's files do to a device."""

import json
import re
from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.daemon import Daemon
from tests.engines.engine import Engine
from tests.linux import Linux

pytestmark = pytest.mark.engine("systemd")

PROOF_S = 30.0
UNIT_S = 120.0
GONE_S = 20.0
RUNTIME = checkout_root() / "runtime"
ATTRIBUTES = "/sys/class/remoteproc/remoteproc*/state"
COMPOSE = "/tmp/compose.yaml"
UPDATED = "localhost:5000/motor:latest"
REGISTRIES = "/etc/containers/registries.conf.d/local.conf"
INSECURE = '[[registry]]\nlocation = "localhost:5000"\ninsecure = true\n'
UNIT = "/etc/containers/systemd/motor.container"


@pytest.fixture(autouse=True)
def _all_started(shell: Shell) -> None:
    """SSH is there before the last of the board's units."""
    shell.run("systemctl is-system-running --wait", check=False, deadline=Deadline(UNIT_S))


@pytest.fixture
def docker(shell: Shell, runtime: DeployedRuntime) -> Iterator[Engine]:
    """As Debian's units run it, on its default settings."""
    runtime.run("install", "docker")
    shell.run("systemctl start docker", deadline=Deadline(UNIT_S))
    found = Engine("docker", shell, usual=("--network", "none"))
    found.remove_everything()
    yield found
    found.remove_everything()
    shell.run("systemctl stop docker.socket docker containerd", deadline=Deadline(UNIT_S))


@pytest.fixture
def podman(shell: Shell, runtime: DeployedRuntime) -> Iterator[Engine]:
    runtime.run("install", "podman")
    found = Engine("podman", shell, usual=("--network", "none"))
    found.remove_everything()
    yield found
    found.remove_everything()


def group_of(shell: Shell, pid: int) -> str:
    return shell.run(f"cat /proc/{pid}/cgroup").stdout.strip().removeprefix("0::")


def wait_until_gone(shell: Shell, pattern: str) -> None:
    """No unit of that name is left."""
    deadline = Deadline(GONE_S)
    while shell.run(f"systemctl list-units --all --plain --no-legend '{pattern}'").stdout.strip():
        assert not deadline.expired, shell.run(f"systemctl status --no-pager '{pattern}'", check=False).stdout


@pytest.mark.engine("docker")
def test_docker_s_containers_have_scopes(
    docker: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    assert shell.run("docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}'").stdout == "systemd 2\n"
    heartbeat = firmware("heartbeat")
    docker.run("motor", docker.image_of(heartbeat), processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    facts = docker.inspect("motor")
    assert group_of(shell, facts["State"]["Pid"]) == f"/system.slice/docker-{facts['Id']}.scope"
    stats = json.loads(docker.call("stats", "--no-stream", "--format", "json", "motor").stdout)
    assert re.match(r"[1-9][0-9.]*[KM]iB", stats["MemUsage"])
    assert stats["PIDs"] == "1"
    docker.call("stop", "motor")
    assert docker.state("motor") == ("exited", 0)
    witness.silent(heartbeat)
    wait_until_gone(shell, "docker-*.scope")
    # The scope of the container before may still be on its way out.
    docker.call("start", "motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    docker.call("rm", "--force", "motor")
    wait_until_gone(shell, "docker-*.scope")
    linux.assert_untouched()


@pytest.mark.engine("docker")
def test_a_container_outlives_a_restart_of_containerd(
    docker: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    heartbeat = firmware("heartbeat")
    docker.run("motor", docker.image_of(heartbeat), processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    shell.run("systemctl restart containerd", deadline=Deadline(UNIT_S))
    witness.beating(heartbeat, Deadline(PROOF_S), count=10)
    # Docker connects again by itself, and until then hears of no container's end.
    for _ in Deadline(UNIT_S).ticks(1.0):
        if docker.call("top", "motor", check=False).exit_status == 0:
            break
    docker.call("stop", "motor")
    assert docker.state("motor") == ("exited", 0)
    docker.call("rm", "motor")
    witness.silent(heartbeat)
    linux.assert_untouched()


@pytest.mark.engine("docker")
@pytest.mark.engine("compose")
def test_the_compose_file(
    docker: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """The one that is shipped, with the processors and the images of this board."""
    cores = [firmware("heartbeat", core=core) for core in (0, 1)]
    text = (RUNTIME / "engines/docker/compose.yaml").read_text()
    for core, (processor, image) in zip(cores, (("10000.r5f", "motor"), ("11000.r5f", "sensor")), strict=True):
        text = text.replace(processor, core.processor).replace(
            f"image: {image}:latest", f"image: {docker.image_of(core)}"
        )
    shell.put(text.encode(), COMPOSE)
    compose = f"docker compose --file {COMPOSE}"
    try:
        shell.run(f"{compose} up --detach", deadline=Deadline(UNIT_S))
        for core in cores:
            witness.started(core, Deadline(PROOF_S))
        shell.run(f"{compose} down", deadline=Deadline(UNIT_S))
        for core in cores:
            witness.silent(core)
    finally:
        shell.run(["rm", "-f", COMPOSE])
    linux.assert_untouched()


@pytest.mark.engine("podman")
def test_podman_s_containers_have_scopes(
    podman: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    heartbeat = firmware("heartbeat")
    podman.run("motor", podman.image_of(heartbeat), "--log-driver", "journald", processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    facts = podman.inspect("motor")
    assert group_of(shell, facts["State"]["Pid"]).startswith(f"/machine.slice/libpod-{facts['Id']}.scope")
    podman.call("stop", "motor")
    assert podman.state("motor") == ("exited", 0)
    logged = shell.run("journalctl --no-pager --output cat CONTAINER_NAME=motor").stdout.splitlines()
    witness.logged(logged, heartbeat)
    podman.call("rm", "motor")
    wait_until_gone(shell, "libpod-*.scope")
    linux.assert_untouched()


@pytest.mark.engine("podman")
def test_the_quadlet_unit(
    podman: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """The one that is shipped, with the processor and the image of this board."""
    heartbeat = firmware("heartbeat")
    image = podman.image_of(heartbeat)
    text = (RUNTIME / "engines/podman/motor.container").read_text()
    text = text.replace("10000.r5f", heartbeat.processor).replace("localhost/motor:latest", image)
    shell.put(text.encode(), UNIT)
    try:
        shell.run("systemctl daemon-reload", deadline=Deadline(UNIT_S))
        shell.run("systemctl start motor", deadline=Deadline(UNIT_S))
        witness.started(heartbeat, Deadline(PROOF_S))
        assert shell.run("systemctl is-active motor").stdout == "active\n"
        journal = shell.run("journalctl --no-pager --output cat --unit motor").stdout.splitlines()
        witness.logged(journal, heartbeat)
        shell.run("systemctl stop motor", deadline=Deadline(UNIT_S))
        witness.silent(heartbeat)
        assert podman.containers() == []
    finally:
        shell.run(f"rm {UNIT}; systemctl daemon-reload; systemctl reset-failed", deadline=Deadline(UNIT_S))
    linux.assert_untouched()


@pytest.mark.engine("podman")
@pytest.mark.engine("registry")
def test_podman_updates_a_unit(
    podman: Engine, registry: Daemon, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """`podman auto-update` finds a newer image in the registry, and restarts the unit with it."""
    assert registry.serves()
    first, second = firmware("heartbeat"), firmware("heartbeat")
    push = ("push", "--tls-verify=false")
    podman.call(*push, podman.image_of(first), UPDATED)
    text = (RUNTIME / "engines/podman/motor.container").read_text().replace("10000.r5f", first.processor)
    text = text.replace("Image=localhost/motor:latest", f"Image={UPDATED}\nAutoUpdate=registry")
    shell.put(INSECURE.encode(), REGISTRIES)
    shell.put(text.encode(), UNIT)
    try:
        shell.run("systemctl daemon-reload", deadline=Deadline(UNIT_S))
        shell.run("systemctl start motor", deadline=Deadline(UNIT_S))
        witness.started(first, Deadline(PROOF_S))
        podman.call(*push, podman.image_of(second), UPDATED)
        told = podman.call("auto-update", "--format", "{{.Unit}} {{.Updated}}").stdout
        assert told == "motor.service true\n"
        witness.started(second, Deadline(PROOF_S))
        shell.run("systemctl stop motor", deadline=Deadline(UNIT_S))
        witness.silent(second)
    finally:
        shell.run(f"rm {UNIT} {REGISTRIES}; systemctl daemon-reload; systemctl reset-failed", deadline=Deadline(UNIT_S))
        podman.call("rmi", "--force", UPDATED, check=False)
    linux.assert_untouched()


def test_the_service_user_and_its_devices(shell: Shell) -> None:
    """sysusers.d, tmpfiles.d and the rules of udev, each applied by its own program."""
    places = {
        "hybrid-runtime.sysusers.conf": "/etc/sysusers.d/hybrid-runtime.conf",
        "hybrid-runtime.tmpfiles.conf": "/etc/tmpfiles.d/hybrid-runtime.conf",
        "60-hybrid-runtime.rules": "/etc/udev/rules.d/60-hybrid-runtime.rules",
    }
    before = shell.run(f"stat -Lc '%n %u %g %a' {ATTRIBUTES}").stdout
    try:
        for name, place in places.items():
            shell.put((RUNTIME / "system" / name).read_bytes(), place)
        shell.run("systemd-sysusers", deadline=Deadline(UNIT_S))
        assert shell.run("id -gn hybrid-runtime").stdout == "hybrid-runtime\n"
        shell.run("systemd-tmpfiles --create hybrid-runtime.conf", deadline=Deadline(UNIT_S))
        assert shell.run("stat -c '%G %a' /run/hybrid-runtime-claims").stdout == "hybrid-runtime 3770\n"
        shell.run("udevadm control --reload", deadline=Deadline(UNIT_S))
        shell.run("udevadm trigger --settle --action=add --subsystem-match=remoteproc", deadline=Deadline(UNIT_S))
        assert set(shell.run(f"stat -Lc '%G %a' {ATTRIBUTES}").stdout.splitlines()) == {"hybrid-runtime 664"}
    finally:
        shell.run(["rm", "-rf", *places.values(), "/var/lib/hybrid-runtime", "/run/hybrid-runtime-claims"])
        shell.run("echo > /sys/module/firmware_class/parameters/path; udevadm control --reload")
        for line in before.splitlines():
            path, user, group, mode = line.split()
            shell.run(f"chown {user}:{group} {path}; chmod {mode} {path}")
