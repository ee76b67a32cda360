"""One Buildroot build: configuration, sources, everything else, and what a board needs of the result."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.buildroot.configuration import check_configuration, merged, read_settings
from hybrid_hil.image.buildroot.progress import BuildProgress, packages_done
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.buildroot.tree import Tree
from hybrid_hil.image.child import LineWatcher, Workshop, cpu_seconds
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
from hybrid_hil.image.store import remove_tree
from hybrid_hil.terminal import Step

EXTERNAL = "buildroot"
# Packages whose sources are in the checkout: always made anew, their files may have changed.
OWN_PACKAGES = ("hybrid-board-firmware", "hybrid-runtime")
MODES = {KERNEL: 0o444, DISK: 0o444, CONFIGURATION: 0o444, SYMBOLS: 0o444, HOST_KEY: 0o444, LOGIN_KEY: 0o600}
RESUMES = "the same command goes on where this one stopped, --rebuild begins anew"


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

    def build(self, folder: Path, workshop: Workshop, step: Step) -> None:
        """Leaves a whole image in `folder`, its manifest included.

        Raises:
            RigError: a symbol did not survive, a source cannot be had, a package does not build.
        """
        begun, cpu_before = time.monotonic(), cpu_seconds()
        step.detail("configuring")
        self._configure(workshop)
        packages = self._packages(workshop)
        step.detail("fetching sources")
        self._make(workshop, ["source"], BuildProgress(step, len(packages), set()))
        self._forget_own_packages(workshop)
        progress = BuildProgress(step, len(packages), packages_done(self._places.output))
        self._make(workshop, [f"-j{self._jobs}"], progress)
        step.detail("storing")
        self._keep(folder, workshop)
        write_manifest(
            folder,
            {
                **read_manifest(self._places.output / "images"),
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "buildroot": self._tree.version,
                "defconfig": self._request.defconfig,
                "settings": [str(file) for file in self._request.settings],
                "packages": packages,
                "cpu_minutes": round((cpu_seconds() - cpu_before) / 60, 1),
                "minutes": round((time.monotonic() - begun) / 60, 1),
                "jobs": self._jobs,
            },
        )

    def _configure(self, workshop: Workshop) -> None:
        defconfig = self._external / "configs" / self._request.defconfig
        wanted = merged([defconfig.read_text(encoding="utf-8"), *read_settings(self._request.settings)])
        written = self._places.output / "wanted_defconfig"
        written.write_text(wanted, encoding="utf-8")
        self._make(workshop, ["defconfig", f"BR2_DEFCONFIG={written}"])
        configuration = (self._places.output / ".config").read_text(encoding="utf-8")
        check_configuration(wanted, configuration, self._tree.version)

    def _packages(self, workshop: Workshop) -> dict[str, str]:
        """What will be built, and its version; programs of the build host have names that begin with `host-`."""
        printed: list[str] = []
        self._make(workshop, ["--no-print-directory", "-s", "show-info"], printed.append)
        information = json.loads(next(line for line in printed if line.startswith("{")))
        return {
            name: entry["version"] or "-"
            for name, entry in information.items()
            if entry.get("type") in ("target", "host") and not entry.get("virtual")
        }

    def _forget_own_packages(self, workshop: Workshop) -> None:
        """A place where a build has ended holds the sources of that time, and files that may be gone since."""
        output = self._places.output
        built = [name for name in OWN_PACKAGES if any(output.glob(f"build/{name}-*"))]
        if built:
            self._make(workshop, [f"{name}-dirclean" for name in built])
        for leftover in ("target", "images"):
            remove_tree(output / leftover)

    def _make(self, workshop: Workshop, goals: Sequence[str], watch: LineWatcher | None = None) -> None:
        where = ("-C", str(self._tree.folder), f"O={self._places.output}", f"BR2_EXTERNAL={self._external}")
        try:
            workshop.run(["make", *where, *goals], watch=watch, environment=self._places.environment())
        except RigError as error:
            raise RigError(error.message, f"{error.remedy}; {RESUMES}") from error

    def _keep(self, folder: Path, workshop: Workshop) -> None:
        images = self._places.output / "images"
        for name, mode in MODES.items():
            # The disk is mostly holes.
            workshop.run(["cp", "--sparse=always", images / name, folder / name])
            (folder / name).chmod(mode)
        shutil.copytree(images / PLATFORM, folder / PLATFORM)
