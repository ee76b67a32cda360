"""Which board the tests of this pytest process get: an emulated one of its own, or one of a board file."""

import shlex
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from hybrid_hil.board import Board
from hybrid_hil.board.board_file import read_board_file
from hybrid_hil.board.layout import Layout, layout_named
from hybrid_hil.board.lease import Lease
from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.processor import FEATURES
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.board.remote import RemoteBoard, RemoteDescription
from hybrid_hil.device.deployment import checkout_payload
from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.host.emulator import chosen_qemu
from hybrid_hil.image import Image
from hybrid_hil.image.choice import chosen_image
from hybrid_hil.terminal import TerminalReporter

EMULATED = "qemu"
# What shows that a real board has it, where that is called otherwise.
_PROGRAMS = {"kubernetes": "kubelet"}


class Assignment:
    """The board of one worker by pytest's options, before and without its boot. Raises pytest.UsageError for options
    that contradict each other; its methods raise RigError."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._image: Image | None = None
        self._remote: RemoteDescription | None = None
        self.worker: str = getattr(config, "workerinput", {}).get("workerid", "main")
        workers = getattr(config, "workerinput", {}).get("workercount", config.getoption("numprocesses", None) or 1)
        self._files = board_files(config.getoption("--board"), workers)

    @property
    def emulated(self) -> bool:
        return not self._files

    def board(self, logs: Path) -> Board:
        """A fresh one, still off; console logs go to `logs`."""
        if not self.emulated:
            return RemoteBoard(self.remote(), logs=logs)
        monitor = self._config.getoption("--monitor")
        options = QemuOptions(
            layout=self._layout(),
            monitor=Path(monitor).absolute() if monitor else None,
            prepared=checkout_payload().fingerprint if self._config.getoption("--snapshots") == "auto" else "",
            qemu=chosen_qemu(self._config.getoption("--qemu")),
        )
        return QemuBoard(self.image(), options, owner="pytest", logs=logs)

    def image(self) -> Image:
        """What the emulated board boots."""
        if self._image is None:
            self._image = image_of(self._config)
        return self._image

    def remote(self) -> RemoteDescription:
        """The board of this worker's file."""
        if self._remote is None:
            number = int(self.worker.removeprefix("gw")) if self.worker.startswith("gw") else 0
            self._remote = read_board_file(self._files[number]) if number < len(self._files) else self._left_over()
        return self._remote

    def own_firmware(self) -> Path | None:
        """The folder of `--hil-firmware`, absolute.

        Raises:
            RigError: there is none of that name.
        """
        folder: Path | None = self._config.getoption("--hil-firmware")
        if folder is not None and not folder.is_dir():
            raise RigError(f"--hil-firmware `{folder}` is no folder", "name the folder of your ELF files")
        return folder.absolute() if folder is not None else None

    def _left_over(self) -> RemoteDescription:
        """For a worker in a dead one's place, whose number is beyond: the board that nobody holds any more."""
        *others, last = [read_board_file(path) for path in self._files]
        return next((one for one in others if Lease(one.name, one.address).is_free_here()), last)

    def lacks(self, item: pytest.Item, rig: Callable[[], Rig]) -> str:
        """What a test's markers want and the board does not have; empty when it has everything. Only a board of a file
        has to be booted for that, by `rig`."""
        wanted = item.get_closest_marker("processors")
        cores = len(self._layout().processors if self.emulated else self.remote().cores)
        if wanted is not None and wanted.args[0] > cores:
            return f"{wanted.args[0]} processors, the board has {cores}"
        if unfit := _unfit(item, self._features()):
            return unfit
        names = [marker.args[0] for marker in item.iter_markers("engine")]
        return next((f"{name} on the board" for name in names if not self._has_engine(name, rig)), "")

    def _has_engine(self, name: str, rig: Callable[[], Rig]) -> bool:
        if self.emulated:
            return name in inside(self.image())
        program = shlex.quote(_PROGRAMS.get(name, name))
        return rig().board.shell.run(f"command -v {program}", check=False).exit_status == 0

    def _features(self) -> frozenset[str]:
        """Those of every processor that tests may use."""
        if self.emulated:
            return self._layout().features
        return frozenset.intersection(*[core.features for core in self.remote().cores])

    def _layout(self) -> Layout:
        return layout_named(self._config.getoption("--layout"))


def _unfit(item: pytest.Item, features: frozenset[str]) -> str:
    """Why a test's markers `needs` and `lacks` keep it from such processors; empty when they do not."""
    needed = [marker.args[0] for marker in item.iter_markers("needs")]
    unwanted = [marker.args[0] for marker in item.iter_markers("lacks")]
    missing = [f"{FEATURES[name]}, which the board does not have" for name in needed if name not in features]
    present = [f"a board without {FEATURES[name]}" for name in unwanted if name in features]
    return next(iter([*missing, *present]), "")


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


def inside(image: Image) -> list[str]:
    """The container engines in an image."""
    engines = image.manifest.get("engines", [])
    return [str(engine) for engine in engines] if isinstance(engines, list) else []


def image_of(config: pytest.Config) -> Image:
    """The image of `--image`. Building one takes minutes, which are shown although pytest captures output."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        return chosen_image(config.getoption("--image"), TerminalReporter())
