"""The QEMU command line of the emulated board, as a pure function of what it boots."""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from hybrid_hil.board.early_firmware import RESOURCE_TABLE_NOTE, EarlyFirmware
from hybrid_hil.board.layout import Layout

QEMU = "qemu-system-aarch64"
KERNEL_ADDRESS = 0x08000000
DEVICETREE_ADDRESS = 0x07000000
TRAMPOLINE_ADDRESS = 0
SSH_PORT = 22


@dataclass(frozen=True)
class Payload:
    """The files a board boots, where in guest Linux the forwarded port ends, and the program that runs it all. What the
    guest writes is forgotten with QEMU unless `keeps_disk`. `overlay` takes it instead of the disk, and QEMU's
    snapshots; the board begins as the snapshot `restored` inside it instead of booting. `early` is in core 0's memory
    before Linux starts."""

    layout: Layout
    monitor: Path
    kernel: Path
    devicetree: Path
    trampoline: Path
    disk: Path
    guest_port: int = SSH_PORT
    keeps_disk: bool = False
    overlay: Path | None = None
    restored: str = ""
    qemu: str = QEMU
    early: EarlyFirmware | None = None


@dataclass(frozen=True)
class Wires:
    """Unix sockets the rig listens on before QEMU connects to them: both UARTs and QMP."""

    console: Path
    core_console: Path
    qmp: Path


def qemu_command_line(payload: Payload, wires: Wires, debugger: Path | None = None) -> list[str]:
    """The command a board is run with. QEMU connects to `wires` and fails at once if nobody listens. With `debugger`
    it listens there for gdb, and every core waits for that to go on."""
    lines = [
        *_socket("console", wires.console),
        *("-serial", "chardev:console"),
        *_socket("core-console", wires.core_console),
        *("-serial", "chardev:core-console"),
        *_socket("qmp", wires.qmp),
        *("-mon", "chardev=qmp,mode=control"),
    ]
    if debugger is not None:
        lines += ["-S", "-gdb", f"unix:{_escaped(debugger)},server=on,wait=off"]
    return [*_machine(payload), *lines]


def command_line_by_hand(payload: Payload) -> str:
    """The same board for a person's terminal, as one line for a shell: the console on the terminal (Ctrl-A X
    ends QEMU), the auxiliary cores' console in a file."""
    lines = ["-serial", "mon:stdio", "-serial", "file:core-console.log"]
    return shlex.join([*_machine(replace(payload, overlay=None, restored="")), *lines])


def _machine(payload: Payload) -> list[str]:
    # -kernel would make QEMU swallow the SMCs that the monitor answers; the conduit is HVC for PSCI alone.
    # A guest that resets ends QEMU: a board that reboots by itself is a failure.
    return [
        *(payload.qemu, "-M", "xlnx-versal-virt", "-m", "1G"),
        *("-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot"),
        *("-global", "cortex-a72-arm-cpu.psci-conduit=2"),
        *("-device", f"loader,file={_escaped(payload.monitor)},cpu-num=0"),
        *_loaded(payload.kernel, KERNEL_ADDRESS),
        *_loaded(payload.devicetree, DEVICETREE_ADDRESS),
        *(_loaded(payload.trampoline, TRAMPOLINE_ADDRESS) if payload.layout.needs_trampoline else ()),
        *_early(payload.early),
        *("-drive", f"if=none,id=disk,cache=unsafe,{_disk(payload)}"),
        *("-device", "virtio-blk-device,drive=disk"),
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:0-:{payload.guest_port}"),
        *("-device", "virtio-net-device,netdev=net"),
        *("-device", "virtio-rng-device"),
        *(("-loadvm", payload.restored) if payload.restored else ()),
    ]


def _early(firmware: EarlyFirmware | None) -> list[str]:
    if firmware is None:
        return []
    note = f"loader,addr={RESOURCE_TABLE_NOTE:#x},data={firmware.resource_table:#x},data-len=4"
    return ["-device", f"loader,file={_escaped(firmware.file)}", "-device", note]


def _disk(payload: Payload) -> str:
    if payload.overlay is not None:
        return f"format=qcow2,file={_escaped(payload.overlay)}"
    snapshot = "off" if payload.keeps_disk else "on"
    return f"format=raw,snapshot={snapshot},file={_escaped(payload.disk)}"


def _loaded(file: Path, address: int) -> list[str]:
    return ["-device", f"loader,file={_escaped(file)},addr={address:#x},force-raw=on"]


def _socket(name: str, path: Path) -> list[str]:
    return ["-chardev", f"socket,id={name},path={_escaped(path)}"]


def _escaped(path: Path) -> str:
    """A path inside a comma separated option: QEMU wants its commas doubled."""
    return str(path).replace(",", ",,")
