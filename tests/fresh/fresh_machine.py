"""A machine with nothing on it but a minimal system, git and certificates: a folder that commands run in, in namespaces
of their own. It is thrown away afterwards, and nothing is left of it on this machine."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.mirror import APT_FOLDER, find_mirror, read_sources
from hybrid_hil.image.debian.packages import apt_configuration, transport_settings
from tests.fresh.host_settings import CERTIFICATES, OWN_CERTIFICATES, own_folders, pip_settings, variables
from tests.fresh.release import Release, mmdebstrap_command, source_lines
from tests.throwaway_folder import ThrowawayFolder

PREFIX = "hybrid-hil-fresh-"
INSIDE = Path(__file__).with_name("inside.sh")
CLONE = "/root/checkout"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation=private")


class FreshMachine:
    """A machine of `release` with a clone of what `checkout` has committed. A context manager: at its end the folder is
    gone, and what was started and mounted went with the command that did."""

    def __init__(self, release: Release, checkout: Path, logs: Path) -> None:
        """Logs of all commands go to `logs`."""
        self.release = release
        self._checkout = checkout
        self._logs = logs
        self._pip = pip_settings(_pip_configuration())

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._folder = stack.enter_context(ThrowawayFolder(PREFIX))
            self._make()
            self._held = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        """No mount reaches into the folder: those were of namespaces that are gone."""
        self._held.close()

    @property
    def tree(self) -> Path:
        """Its root folder."""
        return self._folder / "tree"

    def run(self, command: str, name: str, seconds: float) -> str:
        """Runs a shell's command line in the clone, and returns what it printed, which is also in the log `name`.

        Raises:
            RigError: it failed, or has not ended after `seconds`.
        """
        log = self._logs / f"{self.release.suite}-{name}.log"
        BuildRunner(log).run(self._command_line(command, seconds))
        return log.read_text(encoding="utf-8")

    def _make(self) -> None:
        settings = self._folder / "apt.conf"
        settings.write_text(transport_settings(apt_configuration()), encoding="utf-8")
        lines = source_lines(self.release, find_mirror(), read_sources(APT_FOLDER))
        runner = BuildRunner(self._logs / f"{self.release.suite}-system.log")
        runner.run(mmdebstrap_command(self.release, self.tree, settings, lines))
        for folder in (CERTIFICATES, OWN_CERTIFICATES):
            if folder.is_dir():
                runner.run(["cp", "-a", "--remove-destination", f"{folder}/.", self._inside(folder)])
        for file in (Path("/etc/hosts"), Path("/etc/resolv.conf")):
            if file.is_file():
                self._inside(file).unlink(missing_ok=True)
                shutil.copyfile(file, self._inside(file))
        runner.run(["git", "clone", "--quiet", "--no-hardlinks", self._checkout, self._inside(Path(CLONE))])

    def _inside(self, path: Path) -> Path:
        return self.tree / path.relative_to("/")

    def _command_line(self, command: str, seconds: float) -> list[str | Path]:
        bounded: list[str | Path] = [*time_limit(seconds), *NAMESPACES, INSIDE, self.tree]
        environment = ["/usr/bin/env", "-i", "-C", CLONE, *variables(os.environ, self._pip)]
        return [*bounded, *own_folders(self._pip), "--", *environment, "/bin/sh", "-c", command]


def time_limit(seconds: float) -> list[str]:
    """What stands before a command. In the foreground it stays in its caller's process group, and ends with that."""
    return ["timeout", "--foreground", "--signal=KILL", f"{seconds:.0f}"]


def _pip_configuration() -> str:
    asked = [sys.executable, "-m", "pip", "config", "list"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout
