"""What may be changed about the emulated board, and the files it then boots."""

from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.board import snapshot
from hybrid_hil.board.command_line import SSH_PORT, Payload
from hybrid_hil.board.devicetree import with_kernel_arguments
from hybrid_hil.board.early_firmware import early_firmware
from hybrid_hil.board.layout import TWO_CORES, Layout
from hybrid_hil.image import Image


@dataclass(frozen=True)
class QemuOptions:
    """What is changed about the stock board: `monitor` instead of the image's own, words added to the kernel
    command line, the guest port that stands for SSH. With `keeps_disk` the disk is the board's own and keeps what
    was written over a power cut. `prepared` names what provisioning brings: a board with a name for it is kept once it
    is provisioned, and later boards of the same kind begin as it was, where that is faster. `qemu` is a program that
    `chosen_qemu` gave. A `debugged` board waits for gdb. The firmware of the name `early` is in core 0's memory before
    Linux starts: a monitor that starts the core before Linux starts that."""

    layout: Layout = TWO_CORES
    monitor: Path | None = None
    kernel_arguments: tuple[str, ...] = ()
    guest_port: int = SSH_PORT
    keeps_disk: bool = False
    prepared: str = ""
    qemu: str | None = None
    debugged: bool = False
    early: str = ""

    @property
    def kept(self) -> bool:
        """Whether it is kept and restored. Not with a monitor of somebody's own: that may change under its name."""
        return bool(self.prepared) and self.monitor is None


def payload_of(image: Image, options: QemuOptions, folder: Path) -> Payload:
    """What such a board boots; files made for it alone are in its own folder."""
    platform, layout = image.platform, options.layout
    devicetree = platform / layout.devicetree
    if options.kernel_arguments:
        devicetree = with_kernel_arguments(devicetree, options.kernel_arguments, folder / layout.devicetree)
    return Payload(
        layout=layout,
        monitor=options.monitor or platform / "monitor.elf",
        kernel=image.kernel,
        devicetree=devicetree,
        trampoline=platform / f"trampoline-{layout.name}.bin",
        disk=_own_disk(image, folder) if options.keeps_disk else image.disk,
        guest_port=options.guest_port,
        keeps_disk=options.keeps_disk,
        early=early_firmware(layout.cores(platform)[0].firmware / f"{options.early}.elf") if options.early else None,
    )


def snapshot_key(image: Image, options: QemuOptions, qemu_version: str) -> str:
    """Boards of one key are alike once they are provisioned."""
    created = str(image.manifest.get("created", ""))
    ours = (options.layout.name, str(options.guest_port), options.prepared, *options.kernel_arguments)
    return snapshot.key_of(str(image.folder), created, qemu_version, *ours)


def _own_disk(image: Image, folder: Path) -> Path:
    own = folder / "disk.ext4"
    if not own.exists():
        snapshot.copy(image.disk, own)
        own.chmod(0o600)
    return own
