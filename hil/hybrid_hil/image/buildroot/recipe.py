"""One Buildroot build: configuration, sources, everything else, and what a board needs of the result."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.buildroot.configuration import check_configuration, read_settings
from hybrid_hil.image.buildroot.diagnosis import SIGNS
from hybrid_hil.image.buildroot.packages import Package, discard_unfinished, packages_in
from hybrid_hil.image.buildroot.progress import BuildProgress
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.buildroot.tree import Tree
from hybrid_hil.image.child import BuildRunner, LineWatcher, cpu_seconds
from hybrid_hil.image.folder import (
    CONFIGURATION,
    DISK,
    HOST_KEY,
    KERNEL,
    LOGIN_KEY,
    PLATFORM,
    SYMBOLS,
    read_manifest,
    write_manifest,
)
from hybrid_hil.image.kconfig import merged
from hybrid_hil.image.store import remove_tree
from hybrid_hil.terminal import Step

EXTERNAL = "buildroot"
# Packages whose sources are in the checkout: always made anew, their files may have changed.
OWN_PACKAGES = ("hybrid-board-firmware", "hybrid-runtime")
MODES = {KERNEL: 0o444, DISK: 0o444, CONFIGURATION: 0o444, SYMBOLS: 0o444, HOST_KEY: 0o444, LOGIN_KEY: 0o600}
RESUMES = "the same command goes on with the package this one stopped at, `--rebuild` begins anew"


@dataclass(frozen=True)
class Places:
    """Folders of one build: `output` (Buildroot's O=) stays between builds, so do `downloads` and `ccache`;
    `keys` are the board's."""

    output: Path
    downloads: Path
    ccache: Path
    keys: Path

    def environment(self) -> Mapping[str, str]:
        return {
            "BR2_DL_DIR": str(self.downloads),
            "BR2_CCACHE_DIR": str(self.ccache),
            "HYBRID_BOARD_KEYS": str(self.keys),
        }


class BuildrootRecipe:
    """Builds what `request` asks for from `tree` and the external tree of `checkout`, on `jobs` CPUs."""

    def __init__(self, checkout: Path, tree: Tree, request: BuildrootRequest, places: Places, jobs: int) -> None:
        self._external = checkout / EXTERNAL
        self._tree = tree
        self._request = request
        self._places = places
        self._jobs = jobs

    def build(self, folder: Path, runner: BuildRunner, step: Step) -> None:
        """Leaves a whole image in `folder`, its manifest included.

        Raises:
            RigError: a symbol did not survive, a source cannot be had, a package does not build.
        """
        begun, cpu_before = time.monotonic(), cpu_seconds()
        step.detail("configuring")
        self._configure(runner)
        packages = self._packages(runner)
        names = {package.name for package in packages}
        step.detail("fetching sources")
        self._make(runner, ["source"], BuildProgress(step, names, set()))
        self._make_room(runner, packages)
        built = {package.name for package in packages if package.is_built(self._places.output)}
        self._make(runner, [f"-j{self._jobs}"], BuildProgress(step, names, built))
        step.detail("storing")
        self._keep(folder, runner)
        write_manifest(
            folder,
            {
                **read_manifest(self._places.output / "images"),
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "buildroot": self._tree.version,
                "defconfig": self._request.defconfig,
                "settings": [str(file) for file in self._request.settings],
                "packages": {package.name: package.version for package in packages},
                "cpu_minutes": round((cpu_seconds() - cpu_before) / 60, 1),
                "minutes": round((time.monotonic() - begun) / 60, 1),
                "jobs": self._jobs,
            },
        )

    def _configure(self, runner: BuildRunner) -> None:
        defconfig = self._external / "configs" / self._request.defconfig
        wanted = merged([defconfig.read_text(encoding="utf-8"), *read_settings(self._request.settings)])
        written = self._places.output / "wanted_defconfig"
        written.write_text(wanted, encoding="utf-8")
        self._make(runner, ["defconfig", f"BR2_DEFCONFIG={written}"])
        configuration = (self._places.output / ".config").read_text(encoding="utf-8")
        check_configuration(wanted, configuration, self._tree.version)

    def _packages(self, runner: BuildRunner) -> list[Package]:
        printed: list[str] = []
        self._make(runner, ["--no-print-directory", "-s", "show-info"], printed.append)
        return packages_in(printed)

    def _make_room(self, runner: BuildRunner, packages: Sequence[Package]) -> None:
        """In a place where others have built: their half-made packages, the sources of that time, and files in the
        root file system that no package installs any more have to go."""
        output = self._places.output
        discard_unfinished(output, packages)
        outdated = [package for package in packages if package.name in OWN_PACKAGES and package.is_built(output)]
        if outdated:
            self._make(runner, [f"{package.name}-dirclean" for package in outdated])
        # With per-package directories it is put together anew each time.
        remove_tree(output / "target")

    def _make(self, runner: BuildRunner, goals: Sequence[str], watch: LineWatcher | None = None) -> None:
        where = ("-C", str(self._tree.folder), f"O={self._places.output}", f"BR2_EXTERNAL={self._external}")
        try:
            runner.run(["make", *where, *goals], watch=watch, environment=self._places.environment(), signs=SIGNS)
        except RigError as error:
            raise RigError(error.message, f"{error.remedy}; {RESUMES}") from error

    def _keep(self, folder: Path, runner: BuildRunner) -> None:
        images = self._places.output / "images"
        for name, mode in MODES.items():
            # The disk is mostly holes.
            runner.run(["cp", "--sparse=always", images / name, folder / name])
            (folder / name).chmod(mode)
        shutil.copytree(images / PLATFORM, folder / PLATFORM)
