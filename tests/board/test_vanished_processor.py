"""A driver unbound under a running container, and bound again."""

from collections.abc import Iterator

import pytest

from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.board.driver import Driver
from tests.linux import Alive, Linux, WaitForStatus


def test_the_container_ends_with_71_and_the_board_is_usable_again(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    linux: Linux,
    driver: Driver,
    wait_for_status: WaitForStatus,
) -> None:
    heartbeat = alive("torn")
    driver.unbind()
    state = wait_for_status("torn", "stopped")
    assert state["annotations"]["remoteproc.exit-code"] == "71"
    assert runtime.processors() == []
    outcome = runtime.create("none", heartbeat, check=False)
    assert "this machine has no remote processor" in outcome.stderr
    runtime.delete("torn")
    driver.bind()
    runtime.create("again", firmware("heartbeat"))
    runtime.start("again")
    runtime.delete("again", force=True)
    linux.assert_untouched()


@pytest.fixture
def busy(shell: Shell) -> Iterator[None]:
    """Each of the board's CPUs has something to do."""
    spin = "while :; do :; done > /dev/null 2>&1 & echo $!"
    pids = shell.run(f'for _ in $(seq "$(nproc)"); do {spin}; done').stdout.split()
    yield
    shell.run(["kill", *pids])


@pytest.mark.usefixtures("busy")
def test_71_also_when_the_core_stops_long_before_the_processor_vanishes(
    alive: Alive, runtime: DeployedRuntime, driver: Driver, wait_for_status: WaitForStatus
) -> None:
    alive("torn")
    driver.unbind_slowly()
    state = wait_for_status("torn", "stopped")
    assert state["annotations"]["remoteproc.exit-code"] == "71"
    runtime.delete("torn")


def test_a_created_container_cannot_start_and_leaves_nothing(
    runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux, driver: Driver
) -> None:
    runtime.create("torn", firmware("hello"))
    driver.unbind()
    outcome = runtime.start("torn", check=False)
    assert outcome.exit_status == 1
    assert "has vanished" in outcome.stderr
    runtime.delete("torn")
    driver.bind()
    linux.assert_untouched()
