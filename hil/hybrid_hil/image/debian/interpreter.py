"""Python of a Debian release on this machine: it writes the byte code of the board's library."""

from pathlib import Path

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian import host_program
from hybrid_hil.image.debian.host_program import HostProgram, host_architecture
from hybrid_hil.image.debian.release import DebianRelease
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import write_manifest
from hybrid_hil.image.store import Component
from hybrid_hil.terminal import Step


def interpreter_component(release: DebianRelease) -> Component:
    """Any patch release writes the same byte code: the first one fetched is kept until `--rebuild`."""
    inputs = Fingerprint()
    inputs.recipe(Path(__file__))
    inputs.recipe(Path(host_program.__file__))
    inputs.text("package", release.python, release.suite, host_architecture())
    return Component("interpreter", inputs.digest())


def fetch_interpreter(release: DebianRelease, folder: Path, runner: BuildRunner, step: Step) -> None:
    """Puts the unpacked packages and a launcher called like the program into `folder`."""
    step.detail("fetching and unpacking packages")
    versions = HostProgram(release.suite, release.python, release.python).fetch(folder, runner)
    write_manifest(folder, {"suite": release.suite, "packages": versions, "version": versions[release.python]})
