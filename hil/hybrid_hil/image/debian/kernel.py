"""The board's kernel: a mainline release configured by the board's fragments, built reproducibly."""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.child import BuildRunner, cpu_seconds
from hybrid_hil.image.debian.engines import FRAGMENT as ENGINES_FRAGMENT
from hybrid_hil.image.debian.kernel_release import DEFAULT, FOLDER, KernelRelease
from hybrid_hil.image.debian.source import tarball_in
from hybrid_hil.image.debian.toolchain import LINUX_COMPILER, LINUX_PREFIX, compiler_version
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import KERNEL, read_manifest, write_manifest
from hybrid_hil.image.kconfig import lost_lines, merged, settings
from hybrid_hil.image.store import Component, remove_tree
from hybrid_hil.terminal import Step

# In this order, as in Buildroot's BR2_LINUX_KERNEL_CUSTOM_CONFIG_FILE and _CONFIG_FRAGMENT_FILES.
FRAGMENTS = (f"{FOLDER}/linux.fragment", f"{FOLDER}/linux-off.fragment")

# What the makefiles print once per file they make; a build from the fragment prints about this many of them.
PROGRESS_LINE = re.compile(r"^  (CC|AS|LD|AR|HOSTCC|HOSTLD|VDSO32|LDS|GEN|UPD|WRAP|SYSHDR|NM|OBJCOPY) ")
EXPECTED_LINES = 1400

# Kbuild writes who built it, where and when into the kernel (Documentation/kbuild/reproducible-builds.rst).
REPRODUCIBLE = (
    "KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
    "KBUILD_BUILD_USER=hil",
    "KBUILD_BUILD_HOST=hybrid",
    "KBUILD_BUILD_VERSION=1",
)
# Sources this board cannot need stay in the tarball: unpacking and removing each file has its price. Makefiles and
# Kconfig files are all there; a driver switched on in the fragment must not be in one of these folders.
OTHER_PROCESSORS = (
    *("alpha", "arc", "arm", "csky", "hexagon", "loongarch", "m68k", "microblaze", "mips", "nios2", "openrisc"),
    *("parisc", "powerpc", "riscv", "s390", "sh", "sparc", "um", "x86", "xtensa"),
)
OTHER_HARDWARE = (
    *("accel", "acpi", "ata", "crypto", "edac", "gpu", "hid", "hwmon", "i2c", "iio", "infiniband", "md"),
    *("media", "mmc", "mtd", "net/can", "net/dsa", "net/ethernet", "net/phy", "net/wireless", "nvme"),
    *("phy", "platform", "s390", "scsi", "spi", "staging", "target", "usb", "video"),
)
LEFT_OUT = (
    *(f"*/arch/{processor}/*.[chS]" for processor in OTHER_PROCESSORS),
    *(f"*/drivers/{hardware}/*.[ch]" for hardware in OTHER_HARDWARE),
    *("*/sound/*/*.c", "*/fs/bcachefs/*.[ch]", "*/fs/btrfs/*.[ch]", "*/fs/xfs/*.[ch]"),
    *("*/tools/perf", "*/tools/testing", "*/boot/dts/*.dts*", "*.rst", "*.yaml", "*.json"),
)


def fragments_for(engines: Sequence[str], release: KernelRelease = DEFAULT) -> tuple[str, ...]:
    """Where several set a symbol, the last of them counts."""
    of_engines = [ENGINES_FRAGMENT] if engines else []
    of_release = [release.fragment] if release.fragment else []
    return (*FRAGMENTS, *of_engines, *of_release)


def kernel_component(checkout: Path, source: Component, fragments: Sequence[str]) -> Component:
    inputs = Fingerprint()
    for fragment in fragments:
        inputs.text(fragment, *settings((checkout / fragment).read_text(encoding="utf-8")))
    inputs.recipe(Path(__file__))
    inputs.text("source", source.digest)
    inputs.text("compiler", compiler_version(LINUX_COMPILER))
    return Component("kernel", inputs.digest())


class KernelRecipe:
    """Builds Image from the tarball in `source` with `fragments` of `checkout`, on `jobs` CPUs."""

    def __init__(self, checkout: Path, source: Path, jobs: int, fragments: Sequence[str]) -> None:
        self._fragments = [checkout / fragment for fragment in fragments]
        self._source = source
        self._jobs = jobs

    def build(self, folder: Path, runner: BuildRunner, step: Step) -> None:
        """Leaves Image, config and System.map in `folder`.

        Raises:
            RigError: a line of a fragment did not survive, or the build failed.
        """
        begun, cpu_before = time.monotonic(), cpu_seconds()
        tree, objects = folder / "linux", folder / "objects"
        for inner in (tree, objects):
            inner.mkdir()
        step.detail("unpacking")
        excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
        runner.run(["tar", "-xf", tarball_in(self._source), "-C", tree, "--strip-components=1", *excluded])
        step.detail("configuring")
        wanted = merged(fragment.read_text(encoding="utf-8") for fragment in self._fragments)
        (objects / ".config").write_text(wanted, encoding="utf-8")
        self._make(runner, tree, objects, "olddefconfig")
        check_configuration(wanted, (objects / ".config").read_text(encoding="utf-8"))
        step.detail("compiling")
        self._make(runner, tree, objects, f"-j{self._jobs}", "Image", watch=CompileProgress(step))
        step.detail("storing")
        _keep(objects, folder)
        version = (objects / "include/config/kernel.release").read_text(encoding="ascii").strip()
        for inner in (tree, objects):
            remove_tree(inner)
        write_manifest(
            folder,
            {
                "version": version,
                "source": dict(read_manifest(self._source)),
                "cpu_minutes": round((cpu_seconds() - cpu_before) / 60, 1),
                "minutes": round((time.monotonic() - begun) / 60, 1),
                "jobs": self._jobs,
                "compiler": compiler_version(LINUX_COMPILER),
            },
        )

    def _make(
        self,
        runner: BuildRunner,
        tree: Path,
        objects: Path,
        *goals: str,
        watch: "CompileProgress | None" = None,
    ) -> None:
        settings = ("ARCH=arm64", f"CROSS_COMPILE={LINUX_PREFIX}", *REPRODUCIBLE)
        runner.run(["make", "-C", tree, f"O={objects}", *settings, *goals], watch=watch)


class CompileProgress:
    """Turns what the kernel's makefiles print into progress."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._seen = 0

    def __call__(self, line: str) -> None:
        if PROGRESS_LINE.match(line):
            self._seen += 1
            self._step.advance(self._seen, max(EXPECTED_LINES, self._seen))


def check_configuration(wanted: str, configuration: str) -> None:
    """Raises RigError when the kernel's `configuration` lacks lines of the fragments `wanted`."""
    lost = lost_lines(wanted, configuration)
    if lost:
        raise RigError(
            f"the kernel's configuration lost lines of the board's fragments: {', '.join(lost)}",
            f"add what they depend on to `{FRAGMENTS[0]}`, or remove them",
        )


def _keep(objects: Path, folder: Path) -> None:
    kept = {"arch/arm64/boot/Image": KERNEL, ".config": "config", "System.map": "System.map"}
    for made, name in kept.items():
        shutil.copyfile(objects / made, folder / name)
        (folder / name).chmod(0o444)
