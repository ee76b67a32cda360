"""Which SoC the emulated board is, and how its Cortex-R5F cores are used."""

from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.board.processor import USUAL_FEATURES, Processor
from hybrid_hil.failure import RigError
from hybrid_hil.image import Image


@dataclass(frozen=True)
class Layout:
    """`processors[n]` is the remoteproc name of core n; `firmware[n]` the folder of ELFs linked for it;
    `speakers[n]` the word with which those begin their lines. `driver` is the Kconfig symbol of what drives them."""

    name: str
    devicetree: str
    driver: str
    processors: tuple[str, ...]
    firmware: tuple[str, ...]
    speakers: tuple[str, ...]
    needs_trampoline: bool
    features: frozenset[str] = USUAL_FEATURES

    def cores(self, platform: Path) -> tuple[Processor, ...]:
        """The processors, with their firmware in the folder of an image's platform."""
        each = zip(self.processors, self.firmware, self.speakers, strict=True)
        return tuple(
            Processor(name, platform / "firmware" / folder, speaker, self.features) for name, folder, speaker in each
        )


TWO_CORES = Layout(
    name="two-cores",
    devicetree="two-cores.dtb",
    driver="XLNX_R5_REMOTEPROC",
    processors=("10000.r5f", "30000.r5f"),
    firmware=("core0", "core1"),
    speakers=("core0", "core1"),
    needs_trampoline=True,
)
ONE_CORE = Layout(
    name="one-core",
    devicetree="one-core.dtb",
    driver="XLNX_R5_REMOTEPROC",
    processors=("0.r5f",),
    firmware=("lockstep",),
    speakers=("lockstep",),
    needs_trampoline=False,
)
# imx_rproc.c gives every processor one name. Firmware is linked for the on-chip memory of its table.
IMX8MN = Layout(
    name="imx8mn",
    devicetree="imx8mn.dtb",
    driver="IMX_REMOTEPROC",
    processors=("imx-rproc",),
    firmware=("imx8mn",),
    speakers=("imx8mn",),
    needs_trampoline=True,
    # Of core dumps the driver tells the kernel no ELF class.
    features=frozenset({"rpmsg"}),
)
# stm32_rproc.c names a processor by its devicetree node.
STM32MP1 = Layout(
    name="stm32mp1",
    devicetree="stm32mp1.dtb",
    driver="STM32_RPROC",
    processors=("m4",),
    firmware=("stm32mp1",),
    speakers=("stm32mp1",),
    needs_trampoline=True,
    features=frozenset({"coredump", "watchdog", "attach"}),
)
LAYOUTS = {layout.name: layout for layout in (TWO_CORES, ONE_CORE, IMX8MN, STM32MP1)}


def require_driver(layout: Layout, image: Image) -> None:
    """Raises RigError when the kernel of `image` has no driver for the processors of `layout`."""
    if not image.configuration.is_file():
        return
    lines = image.configuration.read_text(encoding="utf-8").splitlines()
    fit = [name for name, other in LAYOUTS.items() if f"CONFIG_{other.driver}=y" in lines]
    if layout.name not in fit:
        kernel = image.manifest.get("kernel_version", "the kernel")
        raise RigError(
            f"`{kernel}` of this image has no driver for layout `{layout.name}` (CONFIG_{layout.driver})",
            f"choose {' or '.join([*(f'--layout {name}' for name in fit), 'another image'])}",
        )


def layout_named(name: str) -> Layout:
    """The layout of this name.

    Raises:
        RigError: there is none.
    """
    if name not in LAYOUTS:
        raise RigError(f"there is no layout `{name}`", f"choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]
