"""What the checks share: the user's firmware, on the board, and the processor it is for."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from hybrid_hil.board import Board
from hybrid_hil.bringup.session import BRINGUP, BringupRequest, BringupResult
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import UPLOADS
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.report.finding import Level
from hybrid_hil.shell import Completed, Shell

CONTAINER = "bringup"
UPLOAD_S = 60.0

Verb = Callable[..., Completed]
Life = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def request_of_user(pytestconfig: pytest.Config) -> BringupRequest:
    return pytestconfig.stash[BRINGUP].request


@pytest.fixture(scope="session")
def result(pytestconfig: pytest.Config) -> BringupResult:
    return pytestconfig.stash[BRINGUP].result


@pytest.fixture(scope="session")
def processor(request_of_user: BringupRequest, board: Board) -> str:
    return request_of_user.processor or board.cores[0].name


@pytest.fixture
def elf(request_of_user: BringupRequest, shell: Shell, result: BringupResult) -> str:
    """The user's firmware on the board: care removes it after each test. Not while a problem is known: some wedge the
    core, or the kernel."""
    problems = [finding.title for finding in result.findings if finding.level is Level.PROBLEM]
    if problems:
        pytest.skip(f"no firmware is run before this is mended: {', '.join(problems)}")
    path = f"{UPLOADS}/{request_of_user.firmware.name}"
    shell.put(request_of_user.firmware, path, deadline=Deadline(UPLOAD_S))
    return path


@pytest.fixture
def verb(runtime: DeployedRuntime, result: BringupResult) -> Verb:
    """Runs one verb of the runtime and notes how long it took."""

    def run(name: str, *words: str) -> Completed:
        done = runtime.run(name, *words)
        result.timings.setdefault(name, []).append(done.duration_s)
        return done

    return run


@pytest.fixture
def life(verb: Verb, elf: str, processor: str, runtime: DeployedRuntime) -> Life:
    """From create to start, and to delete --force whatever comes in between; gives the container's id."""

    @contextmanager
    def live() -> Iterator[str]:
        verb("create", "--annotation", f"remoteproc.name={processor}", elf, CONTAINER)
        try:
            verb("start", CONTAINER)
            yield CONTAINER
        finally:
            runtime.delete(CONTAINER, force=True)

    return live


def wait_for_status(runtime: DeployedRuntime, wanted: str, seconds: float) -> dict[str, object]:
    """The state once its status is the wanted one, or as it is after so many seconds."""
    state: dict[str, object] = {}
    for _ in Deadline(seconds).ticks(0.1):
        state = runtime.state(CONTAINER)
        if state["status"] == wanted:
            break
    return state
