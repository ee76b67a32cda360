"""What the tests on a board share: waiting for a container, and what the board must look like afterwards."""

from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.board.driver import Driver
from tests.linux import Alive, AllIsWell, Linux, WaitForLog, WaitForStatus

PROOF_S = 10.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--restarts", type=int, metavar="N", help="how often each core starts: 5 by day, 30 by night")


@pytest.fixture
def wait_for_status(runtime: DeployedRuntime) -> WaitForStatus:
    """Asks for the state until it has that status; gives the state."""

    def wait(container: str, status: str, seconds: float = 10.0) -> dict[str, object]:
        deadline = Deadline(seconds)
        state = runtime.state(container)
        while state["status"] != status and not deadline.expired:
            state = runtime.state(container)
        assert state["status"] == status, state
        return state

    return wait


@pytest.fixture
def wait_for_log(runtime: DeployedRuntime) -> WaitForLog:
    """Asks for the logs until a line holds that text; gives all lines."""

    def wait(container: str, text: str, seconds: float = 10.0) -> list[str]:
        deadline = Deadline(seconds)
        lines = runtime.logs(container)
        while not any(text in line for line in lines) and not deadline.expired:
            lines = runtime.logs(container)
        assert any(text in line for line in lines), f"`{text}` is not in {lines[-5:]}"
        return lines

    return wait


@pytest.fixture
def linux(shell: Shell) -> Linux:
    """Linux on the board, looked at from outside the runtime."""
    return Linux(shell)


@pytest.fixture
def driver(shell: Shell) -> Iterator[Driver]:
    """Bound again at the end, whatever becomes of the test."""
    driver = Driver(shell)
    yield driver
    driver.bind()


@pytest.fixture
def alive(runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness) -> Alive:
    """A container whose core has proven that it runs: of one of the tests' firmwares, or of a built one."""

    def start(
        container: str, name: str | BuiltFirmware = "heartbeat", *, annotations: dict[str, str] | None = None
    ) -> BuiltFirmware:
        built = firmware(name) if isinstance(name, str) else name
        runtime.create(container, built, annotations=annotations)
        runtime.start(container)
        witness.started(built, Deadline(PROOF_S))
        return built

    return start


@pytest.fixture
def all_is_well(runtime: DeployedRuntime, alive: Alive, linux: Linux) -> AllIsWell:
    """After a fault: nothing is left of any container, and the next one lives and dies as if nothing had been."""

    def prove() -> None:
        linux.assert_untouched()
        alive("next", "hello")
        runtime.delete("next", force=True)
        linux.assert_untouched()

    return prove
