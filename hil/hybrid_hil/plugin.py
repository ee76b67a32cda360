"""pytest fixtures and options for tests on a board; aware of pytest-xdist, each worker boots its own."""

import shlex
from collections.abc import Callable, Generator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil import recording, visit
from hybrid_hil.board import Board
from hybrid_hil.board.board_file import read_board_file
from hybrid_hil.board.layout import LAYOUTS, TWO_CORES, Layout, layout_named
from hybrid_hil.board.qemu import QemuBoard, QemuOptions
from hybrid_hil.board.remote import RemoteBoard, RemoteDescription
from hybrid_hil.choice import chosen_image
from hybrid_hil.console import Console
from hybrid_hil.deployment import parcel_of_checkout
from hybrid_hil.emulator import QEMU_VARIABLE, chosen_qemu
from hybrid_hil.failure import RigError
from hybrid_hil.faults import Faults
from hybrid_hil.firmware import BuiltFirmware, MissingFirmwareError
from hybrid_hil.image import Image
from hybrid_hil.proof import Witness
from hybrid_hil.rig import Account, Rig
from hybrid_hil.runtime import DeployedRuntime
from hybrid_hil.shell import Shell
from hybrid_hil.terminal import TerminalReporter

EMULATED = "qemu"
FirmwareMaker = Callable[..., BuiltFirmware]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "hardware in the loop")
    group.addoption(
        "--board",
        metavar="qemu|FILE.toml",
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
    recording.add_option(group)
    visit.add_option(group)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "processors(count): needs that many processors, else it is skipped")
    config.addinivalue_line("markers", "engine(name): needs that container engine in the image, else it is skipped")
    keeper = BoardKeeper(config)
    recording.register(config, keeper.booted)
    visit.register(config, keeper.booted)
    config.pluginmanager.register(keeper, "hybrid-hil-keeper")


def board_files(chosen: list[str] | None, workers: int) -> list[Path]:
    """The files of `--board`, one for each worker; none for emulated boards, of which each worker boots its own.

    Raises:
        pytest.UsageError: both kinds at once, or fewer files than workers.
    """
    files = [Path(choice).absolute() for choice in chosen or [] if choice != EMULATED]
    if files and len(files) != len(chosen or []):
        raise pytest.UsageError(f"--board names files and `{EMULATED}`: choose one kind")
    if len(set(files)) != len(files):
        raise pytest.UsageError("--board names a file twice: a board has room for one worker")
    if files and workers > len(files):
        raise pytest.UsageError(f"{workers} workers, but --board names {len(files)}: give one file for each worker")
    return files


class BoardKeeper:
    """Boots the board of this pytest process when the first test needs it, and looks after it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rig: Rig | None = None
        self._failure: str | None = None
        self._marks = (0, 0)
        self._accounts: dict[str, Account] = {}
        self._image: Image | None = None
        self._remote: RemoteDescription | None = None
        self._worker: str = getattr(config, "workerinput", {}).get("workerid", "main")
        self._artifacts = Path(config.getoption("--hil-artifacts")).absolute()
        workers = getattr(config, "workerinput", {}).get("workercount", config.getoption("numprocesses", None) or 1)
        self._files = board_files(config.getoption("--board"), workers)

    @property
    def emulated(self) -> bool:
        return not self._files

    def booted(self) -> Rig | None:
        """The board, if a test has needed it."""
        return self._rig

    def rig(self) -> Rig:
        """The board, booted.

        A board that does not boot fails the test that needed it first; the next are skipped with the cause.
        """
        if self._rig is not None:
            return self._rig
        try:
            rig = self._make()
        except RigError as error:
            self._failure = error.message
            pytest.fail(str(error), pytrace=False)
        self._rig = rig
        self._mark()
        return rig

    def _make(self) -> Rig:
        rig = Rig(self._board(self._artifacts / self._worker))
        try:
            rig.boot()
        except BaseException:
            rig.board.close()
            raise
        return rig

    def _board(self, logs: Path) -> Board:
        if not self.emulated:
            return RemoteBoard(self.remote(), logs=logs)
        monitor = self._config.getoption("--monitor")
        options = QemuOptions(
            layout=self._layout(),
            monitor=Path(monitor).absolute() if monitor else None,
            prepared=parcel_of_checkout().fingerprint if self._config.getoption("--snapshots") == "auto" else "",
            qemu=chosen_qemu(self._config.getoption("--qemu")),
        )
        return QemuBoard(self.image(), options, owner="pytest", logs=logs)

    def image(self) -> Image:
        """What the emulated board boots. Raises RigError."""
        if self._image is None:
            self._image = image_of(self._config)
        return self._image

    def remote(self) -> RemoteDescription:
        """The board of this worker's file. Raises RigError."""
        if self._remote is None:
            number = int(self._worker.removeprefix("gw")) if self._worker.startswith("gw") else 0
            self._remote = read_board_file(self._files[number])
        return self._remote

    def lacks(self, item: pytest.Item) -> str:
        """What a test's markers want and the board does not have; empty when it has everything. Raises RigError."""
        wanted = item.get_closest_marker("processors")
        cores = len(self._layout().processors if self.emulated else self.remote().cores)
        if wanted is not None and wanted.args[0] > cores:
            return f"{wanted.args[0]} processors, the board has {cores}"
        names = [marker.args[0] for marker in item.iter_markers("engine")]
        return next((f"{name} on the board" for name in names if not self._has_engine(name)), "")

    def _has_engine(self, name: str) -> bool:
        if self.emulated:
            return name in inside(self.image())
        return self.rig().board.shell.run(f"command -v {shlex.quote(name)}", check=False).exit_status == 0

    def _layout(self) -> Layout:
        return layout_named(self._config.getoption("--layout"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if not _needs_board(item):
            return
        if self._failure is not None:
            pytest.skip(f"no board: {self._failure}")
        try:
            lacking = self.lacks(item)
        except RigError as error:
            self._failure = error.message
            pytest.fail(str(error), pytrace=False)
        if lacking:
            pytest.skip(f"needs {lacking}")
        self._mark()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.when != "teardown" and self._rig is not None and _needs_board(item):
            folder = self._rig.keep_evidence(item.nodeid, self._artifacts, report.longreprtext, self._marks)
            report.sections.append((recording.EVIDENCE, str(folder)))
            report.sections.append((recording.BY_HAND, self._rig.board.by_hand))
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if self._rig is None or not _needs_board(item):
            return
        try:
            self._rig.look_after(item.nodeid)
        except RigError as error:
            self._failure = f"it did not come back after {item.nodeid}: {error.message}"
            pytest.fail(str(error), pytrace=False)

    def pytest_sessionfinish(self) -> None:
        if self._rig is None:
            return
        self._rig.board.close()
        self._accounts[self._worker] = self._rig.account
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["hil"] = vars(self._rig.account)
        self._rig = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        account = getattr(node, "workeroutput", {}).get("hil")
        if account is not None:
            worker = getattr(node, "workerinput", {}).get("workerid", "worker")
            self._accounts[worker] = Account(**account)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._accounts:
            return
        terminalreporter.section("boards")
        for worker, account in sorted(self._accounts.items()):
            terminalreporter.write_line(summary(worker, account))
            for kind, tests in (
                ("cleaned after", account.cleaned),
                ("renewed after", account.renewed),
            ):
                for test in tests:
                    terminalreporter.write_line(f"  {kind} {test}")

    def _mark(self) -> None:
        if self._rig is not None:
            self._marks = (self._rig.board.console.mark(), self._rig.board.core_console.mark())


def inside(image: Image) -> list[str]:
    """The container engines in an image."""
    engines = image.manifest.get("engines", [])
    return [str(engine) for engine in engines] if isinstance(engines, list) else []


def summary(worker: str, account: Account) -> str:
    """One line about one worker's board."""
    boots = counted(account.boots, "boots", account.boot_s)
    restores = f", {counted(account.restores, 'restores', account.restore_s)}" if account.restores else ""
    cared = f"cleaned {len(account.cleaned)} times, renewed {len(account.renewed)} times"
    return f"{worker}: {boots}{restores}; {cared}"


def counted(count: int, what: str, seconds: float) -> str:
    """How many, and how long each took."""
    return f"{count} {what}, {seconds / count:.1f} s each" if count else f"no {what}"


def image_of(config: pytest.Config) -> Image:
    """The image of `--image`. Building one takes minutes, which are shown although pytest captures output."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        return chosen_image(config.getoption("--image"), TerminalReporter())


def _needs_board(item: pytest.Item) -> bool:
    return "board" in getattr(item, "fixturenames", ())


def _keeper(config: pytest.Config) -> BoardKeeper:
    keeper = config.pluginmanager.get_plugin("hybrid-hil-keeper")
    assert isinstance(keeper, BoardKeeper)
    return keeper


@pytest.fixture(scope="session")
def image(pytestconfig: pytest.Config) -> Image:
    """What emulated boards boot: `--image`, or the cached one, built if it is missing."""
    keeper = _keeper(pytestconfig)
    if not keeper.emulated:
        pytest.skip("needs the emulated board")
    return keeper.image()


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config) -> Board:
    """The board of this worker, booted once and the same for all its tests."""
    return _keeper(pytestconfig).rig().board


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
    return Faults(_keeper(pytestconfig).rig())


@pytest.fixture(scope="session")
def firmware(board: Board, pytestconfig: pytest.Config) -> FirmwareMaker:  # noqa: ARG001  boots first
    """Makes firmware: `firmware(name, core=0, nonce=True)` links a fresh nonce in and uploads the ELF."""
    keeper = _keeper(pytestconfig)

    def make(name: str, core: int = 0, nonce: bool = True) -> BuiltFirmware:
        try:
            return keeper.rig().firmware(name, core, nonce)
        except MissingFirmwareError as error:
            if keeper.emulated:
                raise
            pytest.skip(f"needs firmware for this board: {error.message}")

    return make
