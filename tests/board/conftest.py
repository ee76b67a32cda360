"""What the tests on a board share: waiting for a container, and what the board must look like afterwards."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.proof import Witness
from hybrid_hil.runtime import DeployedRuntime
from hybrid_hil.shell import Shell
from linux import AllIsWell, Linux, WaitForLog, WaitForStatus

PROOF_S = 10.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--restarts", type=int, default=30, help="how often the restart tests start each core")


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
def linux(shell: Shell, runtime: DeployedRuntime) -> Linux:
    """Linux on the board, looked at from outside the runtime."""
    return Linux(shell, runtime)


@pytest.fixture
def all_is_well(runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness, linux: Linux) -> AllIsWell:
    """After a fault: nothing is left of any container, and the next one lives and dies as if nothing had been."""

    def prove() -> None:
        linux.assert_untouched()
        hello = firmware("hello")
        runtime.create("next", hello)
        runtime.start("next")
        witness.started(hello, Deadline(PROOF_S))
        runtime.delete("next", force=True)
        linux.assert_untouched()

    return prove
