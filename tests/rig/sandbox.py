"""Commands of the rig in a process and a folder of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from hybrid_hil.deadline import Deadline
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import Image

END_S = 10.0


class Sandbox:
    """A private runtime folder and TMPDIR, by which everything a rig process leaves behind is found."""

    def __init__(self, folder: Path, image: Image) -> None:
        self.folder = folder
        self.image = image
        self._started: list[subprocess.Popen[str]] = []

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_RUNTIME_DIR": str(self.folder), "TMPDIR": str(self.folder)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `python -m …` as the leader of a process group, its output in one pipe."""
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", *arguments],
            cwd=checkout_root(),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self._started.append(process)
        return process

    def hil(self, *arguments: str) -> subprocess.Popen[str]:
        return self.start("hybrid_hil", *arguments)

    def pytest(self, *arguments: str) -> subprocess.Popen[str]:
        """A pytest with the rig's plugin, whichever way this one got it."""
        artifacts = f"--hil-artifacts={self.folder / 'artifacts'}"
        return self.start("pytest", *plugin(), "-p", "no:cacheprovider", artifacts, *arguments)

    def boards(self) -> list[int]:
        """The process ids of QEMUs that were started here."""
        return [pid for pid, command in _processes() if b"qemu-system" in command and self._mark in command]

    def run_folders(self) -> list[Path]:
        return list(self.folder.glob("hybrid-hil/board-*"))

    def leftovers(self) -> list[str]:
        """Whatever is neither the runs' own root nor what a test asked for."""
        known = {"hybrid-hil", "artifacts"}
        return [str(path) for path in self.folder.iterdir() if path.name not in known]

    def wait_for(self, what: Callable[[], bool], seconds: float) -> bool:
        return any(what() for _ in Deadline(seconds).ticks(0.02))

    def close(self) -> None:
        """Whatever a test has come to: a board that should have ended with its run is not left to the next test."""
        try:
            for process in self._started:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        finally:
            self._end_boards()
        for process in self._started:
            process.communicate()

    def _end_boards(self) -> None:
        """By their ids; a run that is being killed may start one at the last moment."""
        for _ in Deadline(END_S).ticks(0.05):
            left = self.boards()
            if not left:
                return
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        raise AssertionError(f"boards that cannot be killed: {self.boards()}")

    @property
    def _mark(self) -> bytes:
        return os.fsencode(self.folder)


def _processes() -> Iterator[tuple[int, bytes]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue


def plugin() -> list[str]:
    """An installed rig is found by pytest itself; one on PYTHONPATH has to be named."""
    installed = any(point.value == "hybrid_hil.plugin" for point in entry_points(group="pytest11"))
    return [] if installed else ["-p", "hybrid_hil.plugin"]
