"""pytest fixtures and options for tests on a board; aware of pytest-xdist, each worker boots its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_hil.board import Board
from hybrid_hil.board.layout import LAYOUTS, TWO_CORES
from hybrid_hil.console import Console
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware, MissingFirmwareError
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.host.emulator import QEMU_VARIABLE
from hybrid_hil.image import Image
from hybrid_hil.shell import Shell
from hybrid_hil.suite import recording, shell_on_failure
from hybrid_hil.suite.assignment import EMULATED, Assignment
from hybrid_hil.suite.board_session import BOARD_SESSION, BoardSession
from hybrid_hil.suite.losses import LOSSES, Losses

ASSIGNMENT = pytest.StashKey[Assignment]()
FirmwareMaker = Callable[..., BuiltFirmware]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "hardware in the loop")
    group.addoption(
        "--board",
        metavar=f"{EMULATED}|FILE.toml",
        action="append",
        help="a board file instead of the emulated board; several for several workers",
    )
    group.addoption("--image", metavar="DIR|debian|buildroot", help="the image to boot (default: debian)")
    group.addoption("--layout", choices=sorted(LAYOUTS), default=TWO_CORES.name, help="how the cores are used")
    group.addoption(
        "--snapshots",
        choices=("auto", "off"),
        default="auto",
        help="auto: emulated boards begin as one that was booted before, where that is faster",
    )
    group.addoption(
        "--qemu", metavar="PROGRAM", help=f"the QEMU to run boards in (default: {QEMU_VARIABLE}, or PATH's)"
    )
    group.addoption("--monitor", metavar="FILE", help="platform firmware to boot instead of the image's own")
    group.addoption("--hil-artifacts", metavar="DIR", default="hil-artifacts", help="where consoles and evidence go")
    group.addoption(
        "--hil-firmware",
        metavar="DIR",
        type=Path,
        help="firmware of your own, before the board's: PROCESSOR/NAME.elf in it, then NAME.elf",
    )
    recording.add_option(group)
    shell_on_failure.add_option(group)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "processors(count): needs that many processors, else it is skipped")
    config.addinivalue_line("markers", "needs(feature): needs rpmsg, coredump, watchdog or attach, else it is skipped")
    config.addinivalue_line("markers", "lacks(feature): is of processors without it, else it is skipped")
    config.addinivalue_line("markers", "engine(name): needs that container engine in the image, else it is skipped")
    config.addinivalue_line("markers", "kernel_warning(text, ...): expects the kernel to complain, in lines with one")
    config.addinivalue_line("markers", "leaves(words, ...): may leave on the board what begins so, and it stays")
    assignment = Assignment(config)
    board_session = BoardSession(config, assignment)
    config.stash[ASSIGNMENT], config.stash[BOARD_SESSION] = assignment, board_session
    config.stash[LOSSES] = losses = Losses()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(losses, "hybrid-hil-losses")
    recording.register(config, board_session.booted, board_session.boots, losses)
    shell_on_failure.register(config, board_session.booted)
    config.pluginmanager.register(board_session, "hybrid-hil-board-session")


@pytest.fixture(scope="session")
def image(pytestconfig: pytest.Config) -> Image:
    """What emulated boards boot: `--image`, or the cached one, built if it is missing."""
    assignment = pytestconfig.stash[ASSIGNMENT]
    if not assignment.emulated:
        pytest.skip("needs the emulated board")
    return assignment.image()


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config) -> Board:
    """The board of this worker, booted once and the same for all its tests."""
    return pytestconfig.stash[BOARD_SESSION].rig().board


@pytest.fixture(scope="session")
def shell(board: Board) -> Shell:
    """Commands and files on the board."""
    return board.shell


@pytest.fixture(scope="session")
def console(board: Board) -> Console:
    """Linux' console."""
    return board.console


@pytest.fixture(scope="session")
def core_console(board: Board) -> Console:
    """The console the auxiliary cores share."""
    if not board.core_console.wired:
        pytest.skip("needs the cores' own console: [core-console] in the board file")
    return board.core_console


@pytest.fixture(scope="session")
def witness(core_console: Console) -> Witness:
    """Proofs that a core ran or is silent, from what it says itself."""
    return Witness(core_console)


@pytest.fixture(scope="session")
def runtime(board: Board, pytestconfig: pytest.Config) -> DeployedRuntime:
    """The deployed `hybrid-runtime`."""
    observer = recording.observer_of(pytestconfig)
    return DeployedRuntime(board.shell, observer.heard if observer else None)


@pytest.fixture(scope="session")
def faults(board: Board, pytestconfig: pytest.Config) -> Faults:  # noqa: ARG001  boots first
    """What can befall the board."""
    return Faults(pytestconfig.stash[BOARD_SESSION].rig())


@pytest.fixture(scope="session")
def firmware(board: Board, pytestconfig: pytest.Config) -> FirmwareMaker:  # noqa: ARG001  boots first
    """Makes firmware: `firmware(name, core=0, nonce=True)` gives it a fresh nonce and uploads the ELF. Instead of a
    name it may be the path of a file of one's own."""
    rig = pytestconfig.stash[BOARD_SESSION].rig()

    def make(name: str | Path, core: int = 0, nonce: bool = True) -> BuiltFirmware:
        try:
            return rig.firmware(name, core, nonce)
        except MissingFirmwareError as error:
            if pytestconfig.stash[ASSIGNMENT].emulated:
                raise
            pytest.skip(f"needs firmware for this board: {error.message}")

    return make
