"""The emulated board's own parts: what `make -C qemu` produces."""

from pathlib import Path

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.toolchain import CORE_COMPILER, LINUX_COMPILER, compiler_version
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.store import Component
from hybrid_hil.terminal import Step


def platform_component(checkout: Path) -> Component:
    inputs = Fingerprint()
    inputs.tree("qemu", checkout / "qemu", leave_out=("build", "README.md"))
    inputs.recipe(Path(__file__))
    inputs.text("compilers", compiler_version(LINUX_COMPILER), compiler_version(CORE_COMPILER))
    return Component("platform", inputs.digest())


class PlatformRecipe:
    """Builds the sources in qemu/ of `checkout`, on `jobs` CPUs."""

    def __init__(self, checkout: Path, jobs: int) -> None:
        self._sources = checkout / "qemu"
        self._jobs = jobs

    def build(self, folder: Path, runner: BuildRunner, step: Step) -> None:  # noqa: ARG002  the shape of a builder
        runner.run(["make", "-C", self._sources, f"O={folder}", f"-j{self._jobs}"])
